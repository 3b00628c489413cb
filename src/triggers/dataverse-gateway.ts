// The way to Dataverse for triggers that ask by themselves, without a saga.

import { dataverse } from '../app/partners/dataverse.js'
import { Gateway } from '../partner/gateway.js'
import type { Reply } from '../partner/classify.js'
import { readSecret } from '../secrets.js'
import { addressIn } from '../settings.js'

let gateway: Gateway | undefined

/** One for the life of the process, so that its limits and its tokens are kept. */
export function toDataverse(): Gateway {
  gateway ??= new Gateway(dataverse, addressIn(dataverse.addressSetting), readSecret)
  return gateway
}

export function wordsOf(reply: Reply): string {
  if ('status' in reply) return `HTTP ${reply.status}`
  return 'failed' in reply ? reply.failed : reply.parked
}
