// To whoever uses it, it is a Map.

import { describe, expect, it } from 'vitest'
import { BriefMap } from '../../embedded/brief-map.js'

describe('a brief map', () => {
  it('finds what was put in, in that order, until it is taken out', () => {
    const map = new BriefMap<string, { readonly number: number }>()
    for (const number of [1, 2, 3]) map.set(`key ${number}`, { number })
    map.delete('key 1')
    map.set('key 2', { number: 20 })
    map.set('key 1', { number: 10 })

    expect([...map.keys()]).toEqual(['key 2', 'key 3', 'key 1'])
    expect([...map.values()].map(({ number }) => number)).toEqual([20, 3, 10])
    expect(map.get('key 1')).toEqual({ number: 10 })
    expect([map.size, map.has('key 3'), map.has('key 4'), map.get('key 4')]).toEqual([3, true, false, undefined])
  })
})
