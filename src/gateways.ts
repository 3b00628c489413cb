// The gateways of this process: one for each partner, for as long as it lives, so that limits, breaker and tokens are those of all who ask it.

import { Gateway } from './partner/gateway.js'
import type { Partner } from './saga/partner.js'
import { readSecret } from './secrets.js'
import { addressIn } from './settings.js'
import { watchBreaker } from './telemetry/telemetry.js'

const gateways = new Map<string, Gateway>()

/** @throws SagaError `SETTING_MISSING` or `SETTING_MALFORMED` */
export function gatewayTo(partner: Partner): Gateway {
  const known = gateways.get(partner.name)
  if (known) return known
  const gateway = new Gateway(partner, addressIn(partner.addressSetting), readSecret)
  watchBreaker(partner.name, () => gateway.board.breaker === 'open')
  gateways.set(partner.name, gateway)
  return gateway
}

/** Undefined while nobody has asked the partner anything. */
export const openGateway = (partner: string): Gateway | undefined => gateways.get(partner)
