/** The two HTTP listeners: for queries on `queryPort`, for operators on `adminPort`. A label of metrics. */
export const listeners = ['public', 'admin'] as const
export type Listener = typeof listeners[number]
