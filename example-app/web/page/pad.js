// The drawing area: pointers in, strokes out. Strokes are lists of `[x, y]`, from 0 to 1 across the area.

const PEN = 0.055;

export class Pad {
  strokes = [];
  #canvas;
  #pointer = null;
  #changed;

  /// `changed` is called after every movement; the pen is up when `drawing` is false.
  constructor(canvas, changed) {
    this.#canvas = canvas;
    this.#changed = changed;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
  }

  get drawing() {
    return this.#pointer !== null;
  }

  clear() {
    this.replace([]);
  }

  replace(strokes) {
    this.#pointer = null;
    this.strokes = strokes;
    this.#update();
  }

  #down(event) {
    // A second finger, or the mouse's other buttons, draw nothing.
    if (this.drawing || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.strokes = [...this.strokes, [this.#place(event)]];
    this.#update();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    this.strokes.at(-1).push(...(between.length ? between : [event]).map((moved) => this.#place(moved)));
    this.#update();
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#update();
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #update() {
    this.#paint();
    this.#changed();
  }

  #resize() {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (side === this.#canvas.width) return;
    this.#canvas.width = side;
    this.#canvas.height = side;
    this.#paint();
  }

  #paint() {
    const { width: side } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    context.lineWidth = side * PEN;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.strokeStyle = getComputedStyle(this.#canvas).color;
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(stroke[0][0] * side, stroke[0][1] * side);
      for (const [i, [x, y]] of stroke.entries()) {
        const [nextX, nextY] = stroke[i + 1] ?? [x, y];
        context.quadraticCurveTo(x * side, y * side, ((x + nextX) / 2) * side, ((y + nextY) / 2) * side);
      }
      context.stroke();
    }
  }
}
