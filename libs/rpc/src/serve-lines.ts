// The serving side of calls that are made line by line: one request that lasts, each line of its body a call, each line
// of the response an answer, in the same order. The next line is not read before the one before it is answered.
import { MAX_RPC_BODY_BYTES } from './contract.js'
import { LineSplitter } from './line-splitter.js'
import type { LinesOut } from './transport.js'

export interface LineService<Answer> {
  /** Never rejects. */
  readonly answer: (line: string) => Promise<Answer>
  /** What is said of a line longer than a body may be; the request ends with it. */
  readonly tooLong: Answer
}

/** Answers until the body ends or the caller is gone. Never rejects. */
export async function converse<Answer> (body: AsyncIterable<Uint8Array>, out: LinesOut, { answer, tooLong }: LineService<Answer>): Promise<void> {
  let goOn: () => void = () => undefined
  out.onDrain(() => { goOn() })
  out.onClose(() => { goOn() })
  const lines: string[] = []
  const splitter = new LineSplitter(MAX_RPC_BODY_BYTES, line => { lines.push(line) })
  const say = async (said: Answer): Promise<void> => {
    if (out.write(`${JSON.stringify(said)}\n`) || out.isOver) return
    await new Promise<void>(resolve => { goOn = resolve })
  }
  const answerAll = async (): Promise<void> => { for (const line of lines.splice(0)) if (!out.isOver) await say(await answer(line)) }
  try {
    for await (const chunk of body) {
      const isOk = splitter.push(chunk).ok
      await answerAll()
      if (isOk) continue
      await say(tooLong)
      await out.end()
      return
    }
    splitter.end()
    await answerAll()
    await out.end()
  } catch { // the caller is gone, and nobody is left to be told anything
    out.cut()
  }
}
