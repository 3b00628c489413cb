// Calls between two threads of one process: each end offers functions to the other. What goes over is plain data, copied.
//
// Promises: an error arrives as an error, with its words, its stack and its code; calls of one turn of the event loop travel together.

import type { MessagePort, Worker } from 'node:worker_threads'
import { BriefMap } from './brief-map.js'

/** Functions of one end, by name. */
// oxlint-disable-next-line typescript/no-explicit-any -- each has arguments of its own
export type Offered = Readonly<Record<string, (...given: any[]) => unknown>>

/** The same functions, as the other end calls them. */
export type Distant<Functions extends Offered> = {
  readonly [Name in keyof Functions]: (
    ...given: Parameters<Functions[Name]>
  ) => Promise<Awaited<ReturnType<Functions[Name]>>>
}

// Lists, since an object costs twice as much to copy.

type Call = readonly [id: number, name: string, ...given: unknown[]]

/** Under the number of its call, negated. */
type Answer = readonly [id: number, result: unknown, error?: ErrorData]

interface ErrorData {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Members of its own, such as `code`. */
  readonly members: object
}

/**
 * Offers `mine` at this end of the port.
 * @returns calls the other end's
 */
export function connect<Theirs extends Offered>(port: MessagePort | Worker, mine: Offered): Distant<Theirs> {
  const asked = new BriefMap<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let lastId = 0
  let leaving: (Call | Answer)[] = []

  function send(message: Call | Answer): void {
    if (leaving.push(message) > 1) return
    setImmediate(() => {
      const together = leaving
      leaving = []
      port.postMessage(together)
    })
  }

  async function answer([id, name, ...given]: Call): Promise<void> {
    try {
      send([-id, await mine[name]?.(...given)])
    } catch (error) {
      send([-id, undefined, dataOf(error)])
    }
  }

  function settle([id, result, error]: Answer): void {
    const waiting = asked.get(-id)
    asked.delete(-id)
    if (error) waiting?.reject(errorFrom(error))
    else waiting?.resolve(result)
  }

  port.on('message', (messages: readonly (Call | Answer)[]) => {
    for (const message of messages)
      if (isCall(message)) void answer(message)
      else settle(message)
  })

  const call = (name: string, given: readonly unknown[]) =>
    new Promise((resolve, reject) => {
      const id = (lastId += 1)
      asked.set(id, { resolve, reject })
      send([id, name, ...given])
    })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are of one program: what they offer is agreed on by their types
  return new Proxy({} as Distant<Theirs>, {
    get:
      (_, name) =>
      (...given: unknown[]) =>
        call(String(name), given),
  })
}

const isCall = (message: Call | Answer): message is Call => message[0] > 0

function dataOf(thrown: unknown): ErrorData {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const members = Object.entries(error).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
  return { name: error.name, message: error.message, stack: error.stack, members: Object.fromEntries(members) }
}

const errorFrom = ({ message, name, stack, members }: ErrorData) =>
  Object.assign(new Error(message), members, { name, stack })
