// Folders that still have more than 15 files, each with how many it may have. Lower a number when files move out; nothing
// is ever added.

/** @type {Readonly<Record<string, number>>} */
export const knownCrowded = {}
