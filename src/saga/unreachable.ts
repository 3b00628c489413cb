/** Closes a switch over a union: a member that the switch forgot is a compile error here. */
export function unreachable(value: never): never {
  throw new Error(`Not a member of its union: ${JSON.stringify(value)}`)
}
