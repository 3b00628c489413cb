// The way to Dataverse for triggers that ask by themselves, without a saga.

import { dataverse } from '../../app/partners/dataverse.js'
import { gatewayTo } from '../../gateways.js'
import type { Gateway } from '../../partner/gateway.js'
import type { Reply } from '../../partner/classify.js'

export const toDataverse = (): Gateway => gatewayTo(dataverse)

export function wordsOf(reply: Reply): string {
  if ('status' in reply) return `HTTP ${reply.status}`
  return 'failed' in reply ? reply.failed : reply.parked
}
