// Prints the timelines of a test that failed. Name it in vitest's `setupFiles`; the kit itself works with any test runner.

import { afterEach } from 'vitest'
import { takeStories } from './simulate.js'

afterEach(({ task }) => {
  const stories = takeStories()
  if (task.result?.state === 'fail') for (const { timeline } of stories) console.error(timeline)
})
