// Two threads that call each other: here two ends of one channel.

import { setImmediate } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, type Offered } from '../../embedded/thread-calls.js'

let close = () => undefined as void

afterEach(() => close())

function ends<Mine extends Offered>(offered: Mine) {
  const { port1, port2 } = new MessageChannel()
  close = () => port1.close()
  connect(port2, offered)
  return connect<Mine>(port1, {})
}

describe('a call of the other thread', () => {
  it('brings arguments there and the result back, as plain data', async () => {
    const other = ends({ join: async (words: readonly string[], by: string) => ({ joined: words.join(by) }) })

    expect(await other.join(['a', 'b'], '-')).toEqual({ joined: 'a-b' })
  })

  it('is answered when it has ended, whatever was asked after it', async () => {
    const ended: string[] = []
    const other = ends({
      async slow() {
        while (!ended.includes('quick')) await setImmediate()
        return 'slow'
      },
      quick: () => 'quick',
    })

    const noted = async (name: Promise<string>) => void ended.push(await name)
    await Promise.all([noted(other.slow()), noted(other.quick())])

    expect(ended).toEqual(['quick', 'slow'])
  })

  it('fails with the words, the stack and the code of what was thrown there', async () => {
    const other = ends({
      open() {
        throw Object.assign(new RangeError('Port 1 is in use.'), { code: 'EADDRINUSE', port: 1, tried: [1, 2] })
      },
    })

    const error: unknown = await other.open().catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({ name: 'RangeError', message: 'Port 1 is in use.', code: 'EADDRINUSE', port: 1 })
    expect(error instanceof Error && error.stack).toContain('thread-calls.test')
    expect(error).not.toHaveProperty('tried')
  })

  it('keeps what is one and the same in an answer one and the same', async () => {
    const one = { task: 1 }
    const other = ends({ twice: () => [one, one] })

    const [first, second] = await other.twice()

    expect(first).toBe(second)
  })
})
