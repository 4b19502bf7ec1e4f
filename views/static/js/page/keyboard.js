/**
 * Reports whether an input method handles the key to compose a word. Safari ends the composition
 * before it dispatches the key that ends it, but gives that key the keyCode 229.
 * @param {KeyboardEvent} event
 */
export const isComposing = ({ isComposing, keyCode }) => isComposing || keyCode === 229;
