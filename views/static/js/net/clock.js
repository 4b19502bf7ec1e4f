const MAX_DIFFERENCE = 60_000; // milliseconds by which the device's clock may be adjusted

/**
 * Stopwatch measures the time since it was created, in milliseconds. The device's clock may be set
 * in the meantime. performance.now() never is, but in some browsers it stops while the device sleeps.
 */
export class Stopwatch {
  #start = performance.now();
  #startDate = Date.now();

  /** @returns {number} time awake, whatever happens to the device's clock */
  get awake() {
    return performance.now() - this.#start;
  }

  /** @returns {number} time including sleep. It is too long after the device's clock was set forward */
  get longest() {
    return Math.max(this.awake, Date.now() - this.#startDate);
  }

  /** @returns {boolean} whether the device neither slept nor had its clock set */
  get isExact() {
    return Math.abs(Date.now() - this.#startDate - this.awake) < MAX_DIFFERENCE;
  }
}
