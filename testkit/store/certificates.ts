// Certificates for tests, made with the command `openssl`: an authority, and what it has signed for 127.0.0.1.
import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { runProgram } from '../processes/run-program.js'

export const hasOpenssl: boolean = (process.env['PATH'] ?? '').split(delimiter).some(folder => {
  try {
    accessSync(join(folder, 'openssl'), constants.X_OK)
    return true
  } catch {
    return false // not there
  }
})

export interface Certificates {
  /** Paths of PEM files. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** Writes them to `folder`. The certificate is for the address 127.0.0.1 and the name store.test, for servers and clients. */
export async function makeCertificates (folder: string): Promise<Certificates> {
  const at = (name: string): string => join(folder, name)
  const run = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await runProgram('openssl', args)
    if (code !== 0) throw new Error(stderr)
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await run('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=store test CA')
  await run('req', ...key, '-keyout', at('key.pem'), '-out', at('request.pem'), '-subj', '/CN=store.test')
  await writeFile(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:store.test\n')
  await run('x509', '-req', '-in', at('request.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('names'), '-out', at('cert.pem'))
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') }
}
