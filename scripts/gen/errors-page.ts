// docs/errors.md: everything that can be answered or returned instead of success, from the tables in the code.
import { ExitCode } from '#core/exit-code.js'
import { rpcErrors } from '#rpc/failure.js'
import { errors, type ErrorRow } from '../../apps/control/src/http/problems/errors.js'
import { code, generatedNote, page, table } from './markdown.js'

const exitMeanings: Record<keyof typeof ExitCode, string> = {
  ok: 'Ended as asked.',
  failed: 'A check or a flow that was asked for did not succeed. Or the process was to stop, and a second signal ended its drain, or closing took too long.',
  noMatch: '`query` only: no object matches, or none that matches has a free place (`NO_MATCHING_RESOURCE`, `NO_CAPACITY`).',
  usage: 'The command line is wrong.',
  unreachable: '`query` only: nobody answered in time, or not like a director.',
  bug: 'A bug: an exception nobody expected. The log\'s last line has it.',
  notNow: '`query` only: the director refused for now, with a status of 429 or 5xx. Trying again may help.',
  refused: '`query` only: the director refused the request as it is, with any other status of 4xx.',
  config: 'Configuration that cannot work, a taken port included, and a key file that `query` cannot use. Starting again will not help.'
}

function httpTable (): string {
  const rows = Object.entries(errors as Record<string, ErrorRow>).sort(([, a], [, b]) => a.status - b.status)
  return table(['Code', 'Status', 'Title', 'What to do', 'Retry-After'], rows.map(([name, { status, title, remedy, retryAfterSeconds }]) =>
    [code(name), String(status), title, remedy, retryAfterSeconds === undefined ? '' : `${retryAfterSeconds} s`]))
}

export function errorsPage (): string {
  return page(
    '# Errors',
    generatedNote,
    '## HTTP',
    'Errors of both HTTP listeners are `application/problem+json` (RFC 9457). `code` is stable and meant for programs; `title` is constant for a code; `detail` says what is particular to this request, and `requestId` finds it in the log.',
    httpTable(),
    '## Between control and proxy',
    'Answers of the proxy on its Unix socket: `{"code", "message"}` with the HTTP status. Clients of the HTTP API never see these. See [rpc.md](rpc.md).',
    table(['Code', 'Status', 'Meaning'], Object.entries(rpcErrors).map(([name, { status, meaning }]) => [code(name), String(status), meaning])),
    '## Exit codes',
    'Of every process of the director. The numbers are those of BSD sysexits where one fits.',
    table(['Code', 'Meaning'], Object.entries(ExitCode).map(([name, number]) => [String(number), exitMeanings[name as keyof typeof ExitCode]]))
  )
}
