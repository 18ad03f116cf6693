// The bytes of a state log as version 0.2.0 of the proxy wrote them: what it wrote is read for good, and until the format
// has another version the same life is written in the same bytes.
import { inflateSync } from 'node:zlib'
import t from 'tap'
import { Counters } from '../../src/core/ledger/counters.js'
import { addCounter, BATCH_HEAD_BYTES, IMAGE_HEAD_BYTES, ImageKind, savedCounters } from '../../src/state/format/layout.js'
import { decodeLog, STATE_VERSION } from '../../src/state/format/log-format.js'
import { countersOf, factsOf } from './core-facts.js'
import { dataPorts, fullLife, nextLife } from './full-life.js'
import { MemoryStorage } from '#testkit/memory-storage.js'

// Deflated (RFC 1950), for most of it is zeros.
const golden = inflateSync(Buffer.from([
  'eNrtGH1oG1X8d/fy5UA3RnXF6CxvXR2amcsajR6bvXZRO4dbnXHQllLPJm3jusQlaV3p4sIQ/WNMW51MUBHH+p9MUMc2GFoY1K8pCO6Dqutfil',
  'M3isM/JpvV93Ivubu8u3ShSoX8Cn337nfv9/318mS4Lbz6iUhz5CFALwPAT2sPn+12vukfwanBBJZx7+DAAPbhp5PJzIYo2avbYqvJDvtwul9N',
  'RbEsaU9pLAd8uC+WiKXUTDyZoNuomlHbkqlMGsudIzihbo9hGfeRxYefTaYyWA6FQqGsr4AbSsZ7DMj7s13ZmxHA7kHHzwdG1l8FAsorClmCwx',
  'ubIff8HStP7WxxSVAJuCQQKjsmVnJsVEBQhYUGrlpw2KGXgJN/ymVP1G2HrgPP3ES7wQatcfgTAPacvjwdmfU+aJUgjiDFjOBtsWEs42bsw2o0',
  'moql01jGAeke8hfQMo+ka0iSAr6QJK3pyi6q0ZIk9xdjTPYklIUegzyzswBuESYu0DAXyqaWJmdhhZmm/FqjmD8VvQXGJoYCwKJ2L8AhAOi7++',
  'KO57ZePmdlBaGHUjh2o1Cnt+EveXnF+ZWXcBKNQuvlvQsArnyw99P+lceXUqQ0Rqn0EnknXqDyOvMivbvYKVJSBxffjgDav/nupeCue0etTnk8',
  'BpGNtVGprDYqFdXGeqVaG6u10RxC/0lt/J38O3w0++3Da7+yShRHIw1xVhTDhqLYG5UkWQ7yayLyU5rDJ/Dnml65RDz5jKjL9u7zyqwJhB6aG+',
  'by8ysiZ3KIQ5BR0mtQWG1ABoAD06f/+OiBt9dZaS96qTTFtLvGHojL270CLalTl56aPHWLe9yKyrzrpK0NvJKKWN8plbfDK8ByAaBzal9X65lN',
  'yNLnQSov83kLrxGu4TvdKVLGO5YhP32ogY21TLHYUHI7Kut9frMk8uR4BA2WYk2nYKmyzRLsm6W/89aTjke+H7Px7LzKyzxbz5PXwW/uoibvnQ',
  'LAbvfjj30yeM7aswEaG8yz63mebTR7VurKCnnOluoSonuuX12PtjZazQZgPRtoBgFrg4heWnk5JkPaFzchgPeuLnd8+UPkCkVOvEoleYOYDPaW',
  'XpvqTHFlhuJ7w2hQcz3HiqPBOu1YrUUtw0p1NPj/jAbMycXVOBoo3NGgEBr80cAcUTNN3NGgNPDKjAb1AsDXo9nA8aELk1aZgfw0Vt9fNuMupn',
  'x8QJ9vO0tLPPLTErTrtfFGcqo/A7l0Kh5DxlP6XkkA+aklD3328RnGq3dA7RfZ/YHPy+Iu81u+8fIIMkp6nQurDUyRKnZiybjr6KTTxl4E1506',
  '0spYRuPJIa3g2eiAODX3Yv4+5iwnWIkOLBRaeDXXpU0KuiKkr7mbAOC2k01brm1e0W6jJaGy+cemD4mWKp1o1D7RPiqO/WOY6RVbO1o977xVAW',
  'XBNgbKDF9mgoYYYL2qYD/Ws+4z2RMr5N559sWD51d1vD5BX7Xtp998QXRQxti9U9S5xtBcGkwc5thcahX7+ye/uSht2ueBhdFcrFpjFebUXDyK',
  'bXMpoo33zpKI+xeaSyn6UQQQ3hAJt1xqOEJfLJ2kAmzZRxJFxFqiIF2i6H+vkcbIVjBiLbNqVTWrqjBPWQXKAs6qvwEfwIqn'
].join(''), 'base64'))

void t.test('a log that version 0.2.0 wrote is read', async t => {
  const { core, clock } = fullLife()
  const storage = new MemoryStorage()
  storage.logs.set('0.1', golden)
  const [next] = nextLife(storage, clock)
  t.strictSame(factsOf(next!, 0), factsOf(core, 0))
  t.strictSame(countersOf(next!), countersOf(core))
})

// Every image of every batch in its order, as text. Counters may have got more places since: they are as this version counts them.
function imagesOf (log: Uint8Array): string[] {
  const decoded = decodeLog(log)
  if (!decoded.ok) throw new Error(decoded.error)
  const { header, batches } = decoded.value
  return [JSON.stringify(header), ...batches.flatMap(batch => {
    const images: string[] = [`moment ${Buffer.from(batch.subarray(0, BATCH_HEAD_BYTES)).toString('hex')}`]
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
    for (let at = BATCH_HEAD_BYTES; at < batch.length;) {
      const [kind, length, slot] = [view.getUint8(at), view.getUint16(at + 1, true), view.getUint32(at + 3, true)]
      const body = at + IMAGE_HEAD_BYTES
      at = body + length
      images.push(`${kind} ${slot} ${Buffer.from(batch.subarray(body, at)).toString('hex')}`)
      const name = kind === ImageKind.counters ? savedCounters[slot] : undefined
      if (name === undefined) continue
      const counts = new Counters(dataPorts.length)[name]
      addCounter(name, Float64Array.from({ length: length / 8 }, (_, index) => view.getFloat64(body + index * 8, true)), counts)
      images[images.length - 1] = `${kind} ${name} ${counts.join()}`
    }
    return images
  })]
}

void t.test('and is what this version writes, but for what it counts besides', async t => {
  t.equal(STATE_VERSION, 3)
  t.strictSame(imagesOf(fullLife().storage.read('0.1')), imagesOf(golden))
})
