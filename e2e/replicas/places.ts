// What is at the same place in every part of the suite.

/** Of every replica, by name. */
export const dataPorts = { game: 7777, voice: 7778 } as const

export type DataPort = keyof typeof dataPorts

export const QUERY_PORT = 9000
export const ADMIN_PORT = 9090
export const STORE_PORT = 6379
