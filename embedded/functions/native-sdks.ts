// Where the SDKs are given back the JavaScript that they were compiled from: as their files are loaded, in memory.

import { addHook } from 'pirates'
import { nativeAsync } from './native-async.js'
import { nativeFields } from './native-fields.js'

const sdks = /[\\/]node_modules[\\/](@azure[\\/]functions|durable-functions)[\\/]/

/** For the files of the SDKs that are loaded from now on. @returns puts an end to it */
export const loadNatively = (): (() => void) =>
  addHook((code) => nativeFields(nativeAsync(code)), { matcher: (file) => sdks.test(file), ignoreNodeModules: false })
