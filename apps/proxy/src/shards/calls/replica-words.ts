// Between the words of the contract and those of the core, of what directors tell each other: answers, bindings, clients elsewhere.
import type { Answer, Asked, Binding, Elsewhere } from '#rpc/replica-schemas.js'
import { tokenFromWords, type Token } from '#wire/token.js'
import type { AskAnswer } from '../../core/asks/answer.js'
import type { Asked as CoreAsked } from '../../core/ledger/observer.js'
import type { BindingView, Elsewhere as CoreElsewhere } from '../../core/sessions/elsewhere.js'
import { clientKeyFrom, clientText } from './client-key.js'
import type { ClaimedGrant } from './token-claims.js'
import type { Translator } from './translate.js'

/** An answer whose grant has its claim. */
export type ClaimedAnswer = Omit<Answer, 'grant'> & { readonly grant?: ClaimedGrant }

export class ReplicaWords {
  readonly #translator: Translator

  constructor (translator: Translator) {
    this.#translator = translator
  }

  /** One that lacks what its verdict needs says as much as none: `late`. */
  answer ({ id, verdict, grant, reason = 'unknown', session }: ClaimedAnswer): AskAnswer {
    if (verdict === 'live' && grant !== undefined) return { id, verdict, grant: this.#translator.grant(grant) }
    if (verdict === 'refused') return { id, verdict, reason }
    if (verdict === 'followed' && session !== undefined) {
      const { client, target, token, tokenTtlMs } = session
      return { id, verdict, session: { client: clientKeyFrom(client) ?? nobody, target: this.#translator.targetSpec(target), token: token as Token | undefined, tokenTtlMs } }
    }
    return { id, verdict: verdict === 'none' ? verdict : 'late' }
  }

  asked ({ id, clientWords, clientPort, dataPort, token }: CoreAsked): Asked {
    return {
      type: 'asked',
      id,
      client: clientText(clientWords, clientPort),
      dataPort: this.#translator.dataPortName(dataPort),
      ...token === undefined ? {} : { token: tokenFromWords(token) }
    }
  }

  binding ({ clientWords, clientPort, target, token, tokenTtlMs, consumed, idleMs }: BindingView): Binding {
    return {
      client: clientText(clientWords, clientPort),
      target: this.#translator.rpcTarget(target),
      ...token === undefined ? {} : { token: tokenFromWords(token), tokenTtlMs, consumed: this.#translator.dataPortNames(consumed) },
      idleMs
    }
  }

  /** Undefined for what is not a client. */
  elsewhere ({ client, change, target }: Elsewhere): CoreElsewhere | undefined {
    const key = clientKeyFrom(client)
    return key && { client: key, change, target: target && this.#translator.targetSpec(target) }
  }
}

// No client is like this: port 0.
const nobody = new Uint32Array(5)
