// <seg-schedules>: the learning rate of every step, by schedule, as `segtutor.training` has it.

const EACH = [1, 2, 5, 10, 25, 50, 100]; // steps an epoch
const PEAKS = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];
const [WIDE, NARROW, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 370, 280, 62, 14, 16, 40];
const LOW = 130; // height of the chart of losses
const NAMES = { constant: "constant", poly: "poly", cosine: "cosine", one_cycle: "one cycle", plateau: "plateau" };

// A rate as people write it: 0.003, or 1.20e−7 where zeros would have to be counted.
const sayRate = (rate) => (rate >= 1e-4 || !rate ? String(Number(rate.toPrecision(3))) : rate.toExponential(2)).replace("-", "−");
// Python rounds a half to the even number.
const roundEven = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

class Schedules extends SegFigure {
  css = `
    .controls { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px 20px; }
    .controls label { display: flex; flex-direction: column; } .controls output { font-weight: 600; }
    .curve { fill: none; stroke: var(--accent); stroke-width: 2.5; stroke-linejoin: round; }
    .kept { fill: none; stroke: var(--warm); stroke-width: 2; stroke-dasharray: 6 4; }
    .dot { fill: var(--accent); } .loss .dot { fill: none; stroke: var(--soft); stroke-width: 1.5; } .loss .best { fill: var(--soft); }
    .loss .at { stroke: var(--accent); stroke-width: 3; }
    .axis { stroke: var(--line); fill: none; } .now { stroke: currentColor; stroke-dasharray: 2 3; } .drop { stroke: var(--warm); stroke-width: 1.5; stroke-dasharray: 5 3; }
    .chart { cursor: crosshair; touch-action: pan-y; } .loss { cursor: ns-resize; touch-action: none; }
    .chart text, .loss text { font-size: 13px; } .right { text-anchor: end !important; } .left { text-anchor: start !important; } .drops { fill: var(--warm) !important; }
    .play { flex-wrap: nowrap; align-items: center; gap: 10px; } .key { display: inline-block; width: 26px; height: 0; border-top: 2px dashed var(--warm); vertical-align: middle; margin-right: 6px; }
    .read b { font-weight: 600; } .mean { color: var(--soft); }
    @container (max-width: 560px) {
      .controls { grid-template-columns: 1fr; } .controls label { flex-direction: row; flex-wrap: wrap; gap: 0 10px; }
      .controls input { flex: 1 1 100%; }
    }`;

  frame() {
    const slider = (name, label, most) => `<label><span class="label">${label}</span>
      <output class="${name}-is"></output><input type="range" class="${name}" min="0" max="${most}" step="1" aria-label="${label}"></label>`;
    return `
      <div class="bar">
        <label class="field"><span class="label">schedule</span><select class="schedule" aria-label="schedule">
          ${Object.entries(NAMES).map(([value, name]) => `<option value="${value}">${name}</option>`).join("")}</select></label>
        <button class="keep end">keep this curve</button>
      </div>
      <div class="controls">
        ${slider("peak", "peak", PEAKS.length - 1)}
        ${slider("warm", "warm-up, share of the steps", 10)}
        ${slider("epochs", "epochs", this.given.losses.length - 2)}
      </div>
      <svg class="chart" role="img" aria-label="Learning rate against the step."></svg>
      <div class="plateau">
        <svg class="loss" tabindex="0" role="application"
          aria-label="Validation loss of each epoch, to be drawn. Arrows left and right choose an epoch, up and down change its loss."></svg>
        <p class="label" style="margin:4px 0 0">The validation loss of each epoch, for you to draw: drag, or use the arrow keys.</p>
      </div>
      <label class="bar play"><span class="label">step</span><input type="range" class="step-at" min="0" step="1" aria-label="step"></label>
      <div class="read" aria-live="polite"></div>
      <div class="mean"></div>`;
  }

  start() {
    const { schedule, epochs, each, learning_rate, warm_up, losses } = this.given;
    Object.assign(this, { schedule, epochs, each, peak: learning_rate, warmUp: warm_up, losses: copy(losses), kept: null, epochAt: 0 });
    const bind = (name, set) => {
      this.find(`.${name}`).oninput = (event) => {
        set(Number(event.target.value));
        this.draw();
      };
    };
    bind("peak", (i) => (this.peak = PEAKS[i]));
    bind("warm", (tenths) => (this.warmUp = tenths / 20));
    bind("epochs", (n) => {
      const share = this.at / this.steps;
      this.epochs = n + 2;
      this.at = Math.floor(share * this.steps);
    });
    bind("step-at", (step) => (this.at = step));
    this.find(".schedule").onchange = (event) => {
      this.schedule = event.target.value;
      this.draw();
    };
    this.find(".keep").onclick = () => {
      this.kept = this.kept ? null : { shares: this.rates.map((rate) => rate / this.peak), peak: this.peak, words: this.words() };
      this.draw();
    };
    this.at = Math.floor(this.steps / 3);
    this.bindChart(this.find(".chart"));
    this.bindLosses(this.find(".loss"));
    // Letters keep their size on a phone: the drawing has fewer units there, not smaller ones.
    new ResizeObserver(() => this.draw()).observe(this);
    this.draw();
  }

  get steps() {
    return this.epochs * this.each;
  }

  get warm() {
    return this.schedule === "one_cycle" ? 0 : this.warmUp; // one cycle rises by itself
  }

  // What the rate of each step is multiplied by: segtutor/training/schedules.py, line by line.
  factors() {
    const { rise, start, end, power } = this.given.constants;
    const wave = (done) => (1 - Math.cos(Math.PI * done)) / 2;
    const shapes = {
      constant: () => 1,
      plateau: () => 1,
      poly: (step, steps) => (1 - step / steps) ** power,
      cosine: (step, steps) => (1 + Math.cos((Math.PI * step) / steps)) / 2,
      one_cycle: (step, steps) => {
        const [top, last] = [rise * steps - 1, steps - 1];
        const up = step <= top;
        const low = up ? 1 / start : 1 / (start * end);
        return low + (1 - low) * wave(up ? step / top : 1 - (step - top) / (last - top));
      },
    };
    const warm = roundEven(this.warm * this.steps);
    const rest = this.steps - warm;
    return Array.from({ length: this.steps }, (_, step) =>
      step < warm ? (step + 1) / (warm + 1) : shapes[this.schedule](step - warm, rest));
  }

  // Plateau: the factor of each epoch, from the losses of those before.
  plateauFactors() {
    const { drop, wait, better } = this.given.constants;
    let [factor, best, waited] = [1, Infinity, 0];
    this.bests = [];
    return Array.from({ length: this.epochs }, (_, epoch) => {
      const now = factor;
      const gained = this.losses[epoch] < best * (1 - better);
      if (gained) [best, waited] = [this.losses[epoch], 0];
      else waited++;
      this.bests.push(gained);
      if (waited > wait) [factor, waited] = [factor * drop, 0];
      return now;
    });
  }

  compute() {
    const byEpoch = this.plateauFactors();
    this.drops = [];
    if (this.schedule === "plateau")
      for (let epoch = 1; epoch < this.epochs; epoch++) if (byEpoch[epoch] < byEpoch[epoch - 1]) this.drops.push(epoch);
    this.rates = this.factors().map((factor, step) =>
      this.peak * factor * (this.schedule === "plateau" ? byEpoch[Math.floor(step / this.each)] : 1));
  }

  words() {
    const warm = this.warm ? `, warm-up ${say(100 * this.warm)} %` : "";
    return `${NAMES[this.schedule]}${warm}, peak ${sayRate(this.peak)}`;
  }

  draw() {
    this.at = clamp(this.at, 0, this.steps - 1);
    this.epochAt = clamp(this.epochAt, 0, this.epochs - 1);
    this.compute();
    this.width = this.clientWidth < 560 ? NARROW : WIDE;
    this.find(".chart").setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.find(".loss").setAttribute("viewBox", `0 0 ${this.width} ${LOW}`);
    const set = (name, value, words) => {
      const input = this.find(`.${name}`);
      input.value = value;
      input.setAttribute("aria-valuetext", words);
      this.find(`.${name}-is`).textContent = words;
    };
    this.find(".schedule").value = this.schedule;
    set("peak", PEAKS.indexOf(this.peak), sayRate(this.peak));
    const alone = this.schedule === "one_cycle";
    set("warm", Math.round(this.warmUp * 20), alone ? "none: it rises by itself" : `${say(100 * this.warmUp)} %`);
    this.find(".warm").disabled = alone;
    set("epochs", this.epochs - 2, `${this.epochs} of ${this.each} step${this.each > 1 ? "s" : ""}`);
    this.find(".keep").textContent = this.kept ? "let the kept curve go" : "keep this curve";
    this.find(".plateau").hidden = this.schedule !== "plateau";
    this.find(".step-at").max = this.steps - 1;
    this.find(".step-at").value = this.at;
    this.drawChart();
    if (this.schedule === "plateau") this.drawLosses();
    const rate = this.rates[this.at];
    const mean = this.rates.reduce((sum, each) => sum + each, 0) / this.steps / this.peak;
    this.find(".read").innerHTML = `Step ${this.at} of ${this.steps}, in epoch ${Math.floor(this.at / this.each) + 1}: learning rate
      <b class="rate">${sayRate(rate)}</b>, ${say(Number(((100 * rate) / this.peak).toPrecision(3)))} % of the peak.`;
    this.find(".mean").innerHTML = `On average over all steps: ${(100 * mean).toFixed(0)} % of the peak.` +
      (this.kept ? ` <span class="keeps"><span class="key"></span>${escape(this.kept.words)}</span>` : "");
  }

  x(share) {
    return LEFT + share * (this.width - LEFT - RIGHT);
  }

  drawChart() {
    const { rates, steps, kept } = this;
    const most = Math.max(this.peak, kept ? kept.peak : 0);
    const y = (rate) => HEIGHT - BOTTOM - (rate / most) * (HEIGHT - TOP - BOTTOM);
    const line = (values) => values.map((value, i) => `${this.x((i + 0.5) / values.length).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
    let parts = "";
    for (const share of [0, 0.5, 1])
      parts += `<path class="axis" d="M${LEFT} ${y(share * most)}H${this.width - RIGHT}"/><text class="right" x="${LEFT - 8}" y="${y(share * most)}">${sayRate(share * most)}</text>`;
    for (const share of [0, 0.5, 1])
      parts += `<text class="${["left", "", "right"][2 * share]}" x="${this.x(share)}" y="${HEIGHT - BOTTOM + 20}">${share ? "" : "step "}${Math.round(share * steps)}</text>`;
    for (const epoch of this.drops)
      parts += `<path class="drop" d="M${this.x(epoch / this.epochs)} ${TOP}V${HEIGHT - BOTTOM}"/>`;
    if (kept) parts += `<path class="kept" d="M${line(kept.shares.map((share) => share * kept.peak))}"/>`;
    const now = this.x((this.at + 0.5) / steps);
    parts += `<path class="now" d="M${now} ${TOP}V${HEIGHT - BOTTOM}"/><path class="curve" d="M${line(rates)}"/>
      <circle class="dot" cx="${now}" cy="${y(rates[this.at])}" r="5"/>`;
    this.find(".chart").innerHTML = parts;
  }

  drawLosses() {
    const floor = LOW - 22;
    const y = (loss) => floor - loss * (floor - 8);
    let parts = `<path class="axis" d="M${LEFT} ${floor}H${this.width - RIGHT}"/><path class="axis" d="M${LEFT} ${y(1)}H${this.width - RIGHT}"/>
      <text class="right" x="${LEFT - 8}" y="${y(0)}">0</text><text class="right" x="${LEFT - 8}" y="${y(1) + 4}">1</text>
      <text class="left" x="${LEFT}" y="${LOW - 8}">loss; filled: a new best</text>`;
    for (const epoch of this.drops)
      parts += `<path class="drop" d="M${this.x(epoch / this.epochs)} 4V${floor}"/>`;
    if (this.drops.length)
      parts += `<text class="right drops" x="${this.width - RIGHT}" y="${LOW - 8}">dashed: the rate drops</text>`;
    for (let epoch = 0; epoch < this.epochs; epoch++)
      parts += `<circle class="dot${this.bests[epoch] ? " best" : ""}${epoch === this.epochAt ? " at" : ""}" cx="${this.x((epoch + 0.5) / this.epochs)}" cy="${y(this.losses[epoch])}" r="5"/>`;
    this.find(".loss").innerHTML = parts;
    this.lossAt = (spot) => clamp((floor - spot) / (floor - 8), 0.01, 1);
  }

  bindChart(svg) {
    const jump = (event) => {
      if (event.type === "pointermove" && event.pointerType !== "mouse" && !event.buttons) return;
      const share = (this.spot(svg, event).x - LEFT) / (this.width - LEFT - RIGHT);
      if (share < 0 || share > 1) return;
      this.at = Math.floor(share * this.steps);
      this.draw();
    };
    svg.onpointermove = svg.onpointerdown = jump;
  }

  bindLosses(svg) {
    const set = (epoch, loss) => {
      this.epochAt = clamp(epoch, 0, this.epochs - 1);
      if (loss !== undefined) this.losses[this.epochAt] = clamp(Math.round(100 * loss) / 100, 0.01, 1);
      this.draw();
      svg.setAttribute("aria-description", `epoch ${this.epochAt + 1}: loss ${this.losses[this.epochAt]}`);
    };
    const follow = (event) => {
      const { x, y } = this.spot(svg, event);
      set(Math.floor(((x - LEFT) / (this.width - LEFT - RIGHT)) * this.epochs), this.lossAt(y));
    };
    svg.onpointerdown = (event) => {
      svg.setPointerCapture(event.pointerId);
      this.drawing = true;
      follow(event);
    };
    svg.onpointermove = (event) => this.drawing && follow(event);
    svg.onpointerup = svg.onpointercancel = () => (this.drawing = false);
    svg.onkeydown = (event) => {
      const [over, up] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] || [];
      if (over === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      set(this.epochAt + over, up ? this.losses[this.epochAt] + 0.02 * up : undefined);
    };
  }
}
if (!customElements.get("seg-schedules")) customElements.define("seg-schedules", Schedules);
