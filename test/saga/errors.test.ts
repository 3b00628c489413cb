// The catalogue of errors and its documentation, held against each other both ways.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorCodes, SagaError } from '../../src/saga/errors.js'

describe('docs/errors.md', () => {
  it('has a chapter for every code, in the order of the catalogue, and no other', () => {
    const chapters = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^## (.+)$/gm)].map(([, code]) => code)

    expect(chapters).toEqual(errorCodes)
  })
})

describe('an error', () => {
  it('says what happened and what to do, under a stable code', () => {
    const error = SagaError.of('SETTING_MISSING', { setting: 'ERP_URL' })

    expect(error.code).toBe('SETTING_MISSING')
    expect(error.message).toBe(`${error.what} ${error.remedy}`)
    expect(error.what).toBe('Setting ERP_URL is missing.')
  })
})
