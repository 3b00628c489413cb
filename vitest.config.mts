import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

// Tests that start processes wait for conditions, never for a time; this is how long such a condition may take on a slow machine.
export default defineConfig({
  resolve: { alias: { 'dataverse-saga/testkit': resolve('testkit/index.ts') } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/mutants/**'],
    setupFiles: ['testkit/vitest.ts'],
    // Most of the long ones wait: on two cores two files at a time take little more than half as long as one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
