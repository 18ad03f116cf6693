// What tests may not do: wait for a time instead of for what they wait for, or have a limit of their own. On a machine with
// other work every such number is wrong some day. testkit/patience.ts has the one limit and the ways to wait.

const wait = 'Wait for what is to come, not for a time: `until` or `patiently` of #testkit/patience.js, or a fake clock.'
const limit = 'One limit for all that is waited for: PATIENCE_MS of #testkit/patience.js, or a multiple of it.'
const clock = 'Measure no time in tests: what comes late on a busy machine is still right.'
const turns = 'So many turns are enough on one machine and too few on another: `until` of #testkit/patience.js.'

// Names of limits, as properties and as parameters with a default.
const limits = '/^(?:timeout|(?:timeout|limit|within|wait|giveUp)Ms)$/'
// A number as it stands, not one that a fake clock or a name stands for.
const number = 'Literal[raw=/^[0-9]/]'

/** Selectors for `no-restricted-syntax`. Who needs one of these says why: `// eslint-disable-next-line no-restricted-syntax -- …`. */
export const patience = [
  { selector: 'CallExpression[callee.name=/^set(?:Timeout|Interval)$/]', message: wait },
  { selector: 'ImportDeclaration[source.value=/^(?:node:)?timers/] > ImportSpecifier[imported.name!="setImmediate"]', message: wait },
  { selector: 'ImportDeclaration[source.value=/^(?:node:)?timers/] > :matches(ImportDefaultSpecifier, ImportNamespaceSpecifier)', message: wait },
  { selector: 'MemberExpression[object.name="Atomics"][property.name="wait"]', message: wait },
  { selector: 'CallExpression[callee.property.name="setTimeout"]', message: limit },
  { selector: `CallExpression[callee.object.name="AbortSignal"][callee.property.name="timeout"] > ${number}`, message: limit },
  { selector: `Property[key.name=${limits}] > ${number}.value`, message: limit },
  { selector: `AssignmentPattern[left.name=${limits}] > ${number}.right`, message: limit },
  { selector: 'CallExpression[callee.object.name=/^(?:Date|performance)$/][callee.property.name="now"]', message: clock },
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: clock },
  { selector: 'MemberExpression[object.name="process"][property.name="hrtime"]', message: clock },
  { selector: 'ForStatement[test.right.type="Literal"] AwaitExpression > CallExpression[callee.name=/^(?:nextTurn|setImmediate)$/]', message: turns },
  { selector: 'ForStatement[test.right.type="Literal"] NewExpression[callee.name="Promise"] CallExpression[callee.name="setImmediate"]', message: turns }
]
