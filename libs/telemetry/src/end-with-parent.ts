// Ends this process when its parent is gone, whatever ended the parent: the parent holds the other end of stdin, and the
// system closes it. A process reads stdin only if it is told to: a container has none.

/** The argument that says that stdin is held by the parent. */
export const END_WITH_PARENT = '--end-with-parent'

/** Whether the parent holds stdin. */
export function isHeldByParent (args: readonly string[] = process.argv): boolean {
  return args.includes(END_WITH_PARENT)
}

/**
 * From now on, if the parent holds stdin: this process ends when its parent does, in the same moment and also while it
 * drains, because what starts next wants the same ports. By SIGKILL, since process.exit(3) would wait for threads that are in the kernel.
 */
export function endWithParent (): void {
  if (!isHeldByParent()) return
  const end = (): void => { process.kill(process.pid, 'SIGKILL') }
  // ECONNRESET, if the parent died in the middle of a line, says the same as an end.
  // Waiting for that keeps no process alive.
  process.stdin.on('end', end).on('error', end).resume().unref()
}
