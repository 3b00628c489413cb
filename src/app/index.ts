// The two lists: what runs here, and whom it talks to.

import type { AnyAction } from '../saga/action.js'
import type { Saga } from '../saga/define.js'
import { SagaError } from '../saga/errors.js'
import type { Partner } from '../saga/partner.js'
import { dataverse } from './partners/dataverse.js'
import { erp } from './partners/erp.js'
import { masterData } from './partners/master-data.js'
import { accountSync } from './sagas/account-sync.js'
import { contactOnboarding } from './sagas/contact-onboarding.js'

export const sagas: readonly Saga[] = [contactOnboarding, accountSync]

export const partners: readonly Partner[] = [dataverse, masterData, erp]

/** @throws SagaError `SAGA_UNKNOWN` */
export function sagaNamed(name: string, version: number): Saga {
  const found = sagas.find((saga) => saga.name === name && saga.version === version)
  if (!found) throw SagaError.of('SAGA_UNKNOWN', { saga: name, version })
  return found
}

/** @throws SagaError `ACTION_UNKNOWN` */
export function actionNamed(partner: string, name: string): { readonly partner: Partner; readonly action: AnyAction } {
  const found = partners.find((it) => it.name === partner)
  const action = found?.actions.find((it) => it.name === name)
  if (!found || !action) throw SagaError.of('ACTION_UNKNOWN', { partner, action: name })
  return { partner: found, action }
}
