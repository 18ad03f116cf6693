// What layout.ts says of a kind of record, made into what writes, reads and checks it. That is done once, when the module is
// loaded: from then on each field is a function that has its place in it. Pure.
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import { isTime } from './moment.js'

/** What images are written to (image-writer.ts). */
export interface ImageSink {
  readonly view: DataView
  /** Returns where in `view` the body starts; the view may be another one afterwards. */
  readonly begin: (kind: never, slot: number, length: number) => number
  readonly finish: () => void
}

/** Where a body is. */
interface Place {
  view: DataView
  body: number
}

/** Reads a field of the body that starts at `body`; words are copied to `into[offset …]`. */
type Reader<Value> = Value extends number ? (view: DataView, body: number) => number : (view: DataView, body: number, into: Uint32Array, offset?: number) => void

/** How a type of field is written and read. Numbers are little-endian. */
interface FieldType<Value> {
  readonly bytes: number
  /** A function of its own for each place: one that took the place as an argument would be slower by half. */
  readonly writer: (place: Place, at: number, next: object) => (value: Value) => object
  readonly reader: (at: number) => Reader<Value>
  /** Whether a value can be of this type at all; left out, any can. */
  readonly check?: (value: number) => boolean
}

// Far above what any counter reaches, and far below where adding one changes nothing.
const MAX_COUNT = 2 ** 50

/** Whether this can be what was counted. */
export function isCount (value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_COUNT
}

const u8: FieldType<number> = {
  bytes: 1,
  writer: (place, at, next) => value => {
    place.view.setUint8(place.body + at, value)
    return next
  },
  reader: at => (view, body) => view.getUint8(body + at)
}

const u16: FieldType<number> = {
  bytes: 2,
  writer: (place, at, next) => value => {
    place.view.setUint16(place.body + at, value, true)
    return next
  },
  reader: at => (view, body) => view.getUint16(body + at, true)
}

const u32: FieldType<number> = {
  bytes: 4,
  writer: (place, at, next) => value => {
    place.view.setUint32(place.body + at, value, true)
    return next
  },
  reader: at => (view, body) => view.getUint32(body + at, true)
}

const u32OrNone: FieldType<number> = {
  bytes: 4,
  writer: (place, at, next) => value => {
    place.view.setUint32(place.body + at, value + 1, true)
    return next
  },
  reader: at => (view, body) => view.getUint32(body + at, true) - 1
}

const double: FieldType<number> = {
  bytes: 8,
  writer: (place, at, next) => value => {
    place.view.setFloat64(place.body + at, value, true)
    return next
  },
  reader: at => (view, body) => view.getFloat64(body + at, true)
}

function words (count: number): FieldType<Uint32Array> {
  return {
    bytes: count * 4,
    writer: (place, at, next) => value => {
      for (let word = 0; word < count; word++) place.view.setUint32(place.body + at + word * 4, value[word]!, true)
      return next
    },
    reader: at => (view, body, into, offset = 0) => {
      for (let word = 0; word < count; word++) into[offset + word] = view.getUint32(body + at + word * 4, true)
    }
  }
}

type AnyFieldType = Pick<FieldType<number>, 'bytes' | 'check'> & {
  readonly writer: (place: Place, at: number, next: object) => (value: never) => object
  readonly reader: (at: number) => unknown
}

/** The types a field can have. */
const types = {
  u8,
  u16,
  u32,
  /** A number, or -1 for none: written as one more than it is. */
  u32OrNone,
  /** Ms in the life that wrote it (moment.ts). */
  time: { ...double, check: isTime },
  /** A whole number, as a double. */
  count: { ...double, check: isCount },
  address: words(ADDRESS_WORDS),
  token: words(TOKEN_WORDS)
} as const

type TypeName = keyof typeof types
type ValueOf<Type extends TypeName> = Type extends 'address' | 'token' ? Uint32Array : number

/** One field: a row of the layout. */
export interface Row {
  /** Where it starts in the body, in bytes: where the one before it ends. */
  readonly at: number
  readonly type: TypeName
  /** Whether a value can be one of a proxy with so many data ports; left out, any value of the type can. */
  readonly check?: (value: number, dataPorts: number) => boolean
}

export type Rows = Readonly<Record<string, Row>>

/** Takes each field once, in any order; only after the last of them there is a `finish`. */
export type RecordWriter<R extends Rows, Left extends keyof R> = [Left] extends [never]
  ? { readonly finish: () => void }
  : { readonly [Name in Left]: (value: ValueOf<R[Name]['type']>) => RecordWriter<R, Exclude<Left, Name>> } & {
    /** Takes the fields of a group, in its order. */
    readonly group: <Names extends Left>(group: FieldGroup<Names>, values: Float64Array) => RecordWriter<R, Exclude<Left, Names>>
  }

/** Some fields of a record that come and go together, as an array of numbers. */
export interface FieldGroup<Names> {
  readonly names: readonly Names[]
  readonly write: (values: Float64Array) => void
}

/** The fields of a record that can be in a group. */
type GroupField<R extends Rows> = { [Name in keyof R]: R[Name]['type'] extends 'u32' | 'time' | 'count' ? Name : never }[keyof R]

/** A kind of record whose bodies all have the same fields. */
export interface RecordLayout<R extends Rows = Rows> {
  readonly kind: number
  readonly rows: R
  /** Length of a body. */
  readonly bytes: number
  /** Starts the image of a slot. Every field has to be given before `finish`: what is not is left over from another image. */
  readonly begin: (sink: ImageSink, slot: number) => RecordWriter<R, keyof R>
  readonly read: { readonly [Name in keyof R]: Reader<ValueOf<R[Name]['type']>> }
  readonly group: <Names extends GroupField<R>>(names: readonly Names[]) => FieldGroup<Names>
  /** Whether the body that starts at `body` is one of a proxy with so many data ports. */
  readonly isSound: (view: DataView, body: number, length: number, dataPorts: number) => boolean
}

/** Throws if a row does not begin where the one before it ends. */
export function recordLayout<const R extends Rows> (kind: number, rows: R): RecordLayout<R> {
  const place: Place & { sink: ImageSink | undefined } = { view: new DataView(new ArrayBuffer(0)), body: 0, sink: undefined }
  const steps: Record<string, unknown> = {
    finish: () => { place.sink!.finish() },
    group: ({ write }: FieldGroup<keyof R>, values: Float64Array) => {
      write(values)
      return steps
    }
  }
  const read: Record<string, unknown> = {}
  const checks: Array<(view: DataView, body: number, dataPorts: number) => boolean> = []
  let bytes = 0
  for (const [name, { at, type, check }] of Object.entries(rows)) {
    const field: AnyFieldType = types[type]
    if (at !== bytes) throw new Error(`field ${name} is at ${at}, and the one before it ends at ${bytes}`)
    bytes += field.bytes
    steps[name] = field.writer(place, at, steps)
    const reader = field.reader(at) as Reader<number>
    read[name] = reader
    const { check: typeCheck } = field
    if (typeCheck !== undefined) checks.push((view, body) => typeCheck(reader(view, body)))
    if (check !== undefined) checks.push((view, body, dataPorts) => check(reader(view, body), dataPorts))
  }
  return {
    kind,
    rows,
    bytes,
    begin: (sink, slot) => {
      place.body = sink.begin(kind as never, slot, bytes)
      place.view = sink.view
      place.sink = sink
      return steps as unknown as RecordWriter<R, keyof R>
    },
    read: read as RecordLayout<R>['read'],
    group: names => groupOf(place, rows, names),
    isSound: (view, body, length, dataPorts) => length === bytes && checks.every(check => check(view, body, dataPorts))
  }
}

// Offsets in an array rather than a function for each field: these are written with every session.
function groupOf<R extends Rows, Names extends keyof R> (place: Place, rows: R, names: readonly Names[]): FieldGroup<Names> {
  const offsets = Uint16Array.from(names, name => rows[name]!.at)
  const isDouble = Uint8Array.from(names, name => rows[name]!.type === 'u32' ? 0 : 1)
  return {
    names,
    write: values => {
      const { view, body } = place
      for (let field = 0; field < offsets.length; field++) {
        if (isDouble[field] === 1) view.setFloat64(body + offsets[field]!, values[field]!, true)
        else view.setUint32(body + offsets[field]!, values[field]!, true)
      }
    }
  }
}
