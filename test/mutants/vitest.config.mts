import { defineConfig } from 'vitest/config'

// Apart from the other tests: it takes a minute or two of all cores.
export default defineConfig({ test: { include: ['test/mutants/mutants.test.ts'] } })
