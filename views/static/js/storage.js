/** What outlives the page; undefined where it is blocked. @type {Storage | undefined} */
export const storage = (() => {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
})();
