import { defineConfig } from 'vitest/config'

// Tests that start processes wait for conditions, never for a time; this is how long such a condition may take on a slow machine.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 60_000 },
})
