// The gateways of this process: one for each partner, for as long as it lives.

import type { Partner } from '../saga/partner.js'
import type { Gateway } from './gateway.js'

const gateways = new Map<string, Gateway>()

export function gatewayTo({ name }: Partner, open: () => Gateway): Gateway {
  const known = gateways.get(name)
  if (known) return known
  const gateway = open()
  gateways.set(name, gateway)
  return gateway
}

/** Undefined while nobody has asked the partner anything. */
export const openGateway = (partner: string): Gateway | undefined => gateways.get(partner)
