// What the host says when it can't settle a message.

import { ServiceBusError, type ServiceBusReceivedMessage } from '@azure/service-bus'
import { expect, it } from 'vitest'
import { Settlements } from '../../embedded/functions/settlements.js'

const message: ServiceBusReceivedMessage = { body: '', messageId: '1', state: 'active', _rawAmqpMessage: { body: '' } }

it.each([
  ['MessageLockLost', 'info', 'the app has settled it itself, or it comes again'],
  ['ServiceCommunicationProblem', 'warn', 'it comes again when its lock runs out'],
] as const)('after %s is told as %s: %s', async (code, level, _why) => {
  const lines: string[] = []
  const settlements = new Settlements((at, by, words) => lines.push(`${at} ${by} ${words}`), 'starter')
  const failing = () => Promise.reject(new ServiceBusError('It is not to be.', code))

  await settlements.settle({ completeMessage: failing, abandonMessage: failing }, 'complete', [message])

  expect(lines).toEqual([`${level} starter Message 1 was not settled by the host: It is not to be.`])
})
