// Objects of one namespace in the order of their names, which is the order the Kubernetes API lists them in.
import type { KubeObject } from './inventory.js'

export class ObjectList {
  readonly #objects: KubeObject[] = []

  /** In the order of their names. The array itself, not a copy: use it up before anything else runs. */
  get objects (): readonly KubeObject[] {
    return this.#objects
  }

  get (name: string): KubeObject | undefined {
    const object = this.#objects[this.#placeOf(name)]
    return object?.metadata.name === name ? object : undefined
  }

  /** Adds `object`, in place of one of the same name. */
  put (object: KubeObject): void {
    const place = this.#placeOf(object.metadata.name)
    if (this.#objects[place]?.metadata.name === object.metadata.name) this.#objects[place] = object
    else this.#objects.splice(place, 0, object)
  }

  delete (name: string): void {
    const place = this.#placeOf(name)
    if (this.#objects[place]?.metadata.name === name) this.#objects.splice(place, 1)
  }

  // Where `name` is, or would have to be: the first place whose name is not smaller.
  #placeOf (name: string): number {
    let low = 0
    let high = this.#objects.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#objects[middle]!.metadata.name < name) low = middle + 1
      else high = middle
    }
    return low
  }
}
