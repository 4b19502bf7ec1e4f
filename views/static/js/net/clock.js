const MAX_DIFFERENCE = 60_000; // milliseconds; a smaller jump of the device's clock is an ordinary correction

/**
 * Stopwatch measures the time since it was created, in milliseconds. Date.now() changes when the device's
 * clock is set. performance.now() does not, but in some browsers it stops while the device sleeps.
 */
export class Stopwatch {
  #start = performance.now();
  #startDate = Date.now();

  /** @returns {number} time awake, regardless of changes to the device's clock */
  get awake() {
    return performance.now() - this.#start;
  }

  /** @returns {number} time including sleep; too long if the device's clock was set forward */
  get longest() {
    return Math.max(this.awake, Date.now() - this.#startDate);
  }

  /** @returns {boolean} whether the device neither slept nor had its clock set */
  get isExact() {
    return Math.abs(Date.now() - this.#startDate - this.awake) < MAX_DIFFERENCE;
  }
}
