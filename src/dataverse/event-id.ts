// How events are named: the same identity always gives the same id.

import { createHash } from 'node:crypto'

/** 20 hexadecimal digits. */
export const eventIdFrom = (identity: readonly string[]) =>
  createHash('sha256').update(identity.join('|')).digest('hex').slice(0, 20)

/** Where a guid stands for none. */
export const nobody = '00000000-0000-0000-0000-000000000000'
