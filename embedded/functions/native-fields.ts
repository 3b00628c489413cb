// The SDKs are compiled for a JavaScript without private members: each is an entry in a weak map, which costs as much as a search, and V8 keeps the value until
// the old generation is collected. As their files are loaded these become what they stand for.

/**
 * `_One_field = new WeakMap()`, as the compiler writes it at the end of a class, becomes a private member that can be put on any object; so does the weak set
 * by which it knows whose methods are called.
 * @param code of a CommonJS module
 */
export const nativeFields = (code: string): string => code.replaceAll(declaration, `$1 = ${member}`)

const declaration = /\b(_[A-Za-z]\w*_\w+) = new Weak(?:Map|Set)\(\)/g

/** A constructor that returns what it is given lets the class that extends it put its members there. The helpers want an object, with a weak map's methods. */
const member = [
  '(class Member extends (class { constructor(owner) { return owner; } }) {',
  '#value;',
  'constructor(owner, value) { super(owner); this.#value = value; }',
  'has(owner) { return #value in owner; }',
  'get(owner) { return owner.#value; }',
  'set(owner, value) { if (#value in owner) owner.#value = value; else new Member(owner, value); }',
  'add(owner) { new Member(owner); }',
  '}).prototype',
].join(' ')
