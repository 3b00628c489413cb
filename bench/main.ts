// npm run bench -- [product|broker|taskhub|instances|cold]: figures and ratios of one run; nothing is asserted.

import { benchBroker } from './broker.js'
import { benchCold } from './cold.js'
import { benchInstances } from './instances.js'
import { benchOperators } from './operators.js'
import { benchProduct } from './product.js'
import { benchTaskHub } from './taskhub.js'

const benches: Readonly<Record<string, () => Promise<void>>> = {
  product: benchProduct,
  broker: benchBroker,
  taskhub: benchTaskHub,
  instances: benchInstances,
  operators: benchOperators,
  cold: benchCold,
}
const wanted = process.argv[2] ?? 'product'
const bench = benches[wanted]

if (bench)
  bench().catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
else {
  console.error(`There is no bench '${wanted}'; there are ${Object.keys(benches).join(', ')}.`)
  process.exitCode = 2
}
