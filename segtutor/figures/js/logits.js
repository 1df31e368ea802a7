// <seg-logits>: one pixel's logits as sliders; softmax, cross-entropy and its gradient follow.

const [LOWEST, HIGHEST] = [-8, 8];
const TEMPERATURES = [0.5, 1, 2, 4];
const SMOOTHINGS = [0, 0.1, 0.2, 0.3];

class Logits extends SegFigure {
  css = `
    .rows { display: grid; grid-template-columns: auto minmax(7em, 1fr) 3em minmax(9em, 1.2fr) minmax(9em, 1.2fr); gap: 6px 14px;
      align-items: center; }
    .rows .head { color: var(--soft); font-size: .8125rem; align-self: end; } .rows output { font-weight: 600; text-align: right; }
    .class { min-height: 40px; text-align: left; } .class[aria-pressed="true"] { border: 2px solid var(--accent); font-weight: 600; }
    .class[aria-pressed="true"]::before { content: "✓ "; } .class i { display: block; height: 3px; border-radius: 2px; margin-top: 3px; }
    .track { display: flex; align-items: center; gap: 8px; } .track b { width: 3.4em; text-align: right; font-weight: 600; }
    .track span { position: relative; flex: 1; height: 16px; background: var(--faint); border-radius: 3px; overflow: hidden; }
    .track span > u { position: absolute; inset: 0 auto 0 0; background: var(--accent); opacity: .75; }
    .track span > s { position: absolute; inset: 0 auto 0 0; border-right: 2.5px solid var(--warm); box-sizing: border-box; }
    .track .signed > u { opacity: .85; } .track .signed > u.down { background: var(--warm); }
    .track .signed::after { content: ""; position: absolute; left: calc(50% - .5px); width: 1px; top: 0; bottom: 0; background: currentColor; opacity: .5; }
    .loss { font-size: 1.05rem; } .loss b { font-size: 1.25rem; color: var(--warm); }
    .wider select { min-width: 5em; }
    @container (max-width: 640px) {
      .rows { grid-template-columns: auto 1fr 2.6em; gap: 4px 10px; } .rows .head { display: none; }
      .rows .track { grid-column: span 3; } .rows .track::before { content: attr(data-what); width: 5.6em; color: var(--soft); font-size: .8125rem; }
      .class { grid-row: auto; } .rows .gap { grid-column: span 3; height: 8px; }
    }
    @container (min-width: 641px) { .rows .gap { display: none; } }`;

  frame() {
    const options = (values) => values.map((value) => `<option value="${value}">${say(value)}</option>`).join("");
    return `
      <div class="bar">
        <button class="all-up">add 1 to all logits</button><button class="all-down">take 1 from all</button>
        <label class="field"><span class="label">temperature T</span><select class="temperature">${options(TEMPERATURES)}</select></label>
        <label class="field"><span class="label">label smoothing ε</span><select class="smoothing">${options(SMOOTHINGS)}</select></label>
        <button class="void" aria-pressed="false">the pixel is void</button>
      </div>
      <div class="rows"></div>
      <div class="loss" aria-live="polite"></div>
      <div class="read"></div>`;
  }

  start() {
    this.z = [...this.given.logits];
    this.label = this.given.label;
    this.temperature = 1;
    this.smoothing = 0;
    const { names, colors } = this.given;
    const heads = ["the pixel is …", "logit", "", "probability ▏asked for", "gradient; the bar is the step"];
    this.find(".rows").innerHTML = heads.map((head) => `<span class="head">${head}</span>`).join("") + names.map((name, i) => `
      <button class="class" data-class="${i}" aria-pressed="false">${escape(name)}<i style="background:${colors[i]}"></i></button>
      <input type="range" min="${LOWEST}" max="${HIGHEST}" step="0.5" data-logit="${i}" aria-label="logit of ${escape(name)}"><output data-z="${i}"></output>
      <div class="track" data-what="probability"><b data-p="${i}"></b><span><u></u><s></s></span></div>
      <div class="track" data-what="gradient"><b data-g="${i}"></b><span class="signed"><u></u></span></div><div class="gap"></div>`).join("");
    names.forEach((_, i) => {
      this.find(`[data-logit="${i}"]`).oninput = (event) => {
        this.z[i] = Number(event.target.value);
        this.draw();
      };
      this.find(`[data-class="${i}"]`).onclick = () => {
        this.label = i;
        this.draw();
      };
    });
    const shift = (step) => () => {
      if (this.z.every((z) => clamp(z + step, LOWEST, HIGHEST) === z + step)) this.z = this.z.map((z) => z + step);
      this.draw();
    };
    this.find(".all-up").onclick = shift(1);
    this.find(".all-down").onclick = shift(-1);
    this.find(".void").onclick = () => {
      this.label = this.label === null ? this.given.label ?? 0 : null;
      this.draw();
    };
    for (const name of ["temperature", "smoothing"]) {
      this.find(`.${name}`).value = this[name];
      this.find(`.${name}`).onchange = (event) => {
        this[name] = Number(event.target.value);
        this.draw();
      };
    }
    this.draw();
  }

  draw() {
    const { z, label, temperature, smoothing } = this;
    const scaled = z.map((value) => value / temperature);
    const top = Math.max(...scaled); // exp of what is left never overflows
    const total = scaled.reduce((sum, value) => sum + Math.exp(value - top), 0);
    const logs = scaled.map((value) => value - top - Math.log(total));
    const p = logs.map(Math.exp);
    const asked = z.map((_, i) => (label === null ? null : smoothing / z.length + (i === label ? 1 - smoothing : 0)));
    const loss = label === null ? 0 : -logs.reduce((sum, log, i) => sum + asked[i] * log, 0);
    z.forEach((value, i) => {
      const gradient = label === null ? 0 : (p[i] - asked[i]) / temperature;
      this.find(`[data-logit="${i}"]`).value = value;
      this.find(`[data-z="${i}"]`).textContent = say(value);
      this.find(`[data-class="${i}"]`).setAttribute("aria-pressed", label === i);
      this.find(`[data-p="${i}"]`).textContent = p[i].toFixed(3);
      const [bar, wish] = this.find(`[data-p="${i}"]`).nextElementSibling.children;
      bar.style.width = `${100 * p[i]}%`;
      wish.style.width = `${100 * (asked[i] ?? 0)}%`;
      wish.style.display = asked[i] ? "" : "none";
      this.find(`[data-g="${i}"]`).textContent = gradient.toFixed(3).replace("-0.000", "0.000").replace("-", "−");
      const push = this.find(`[data-g="${i}"]`).nextElementSibling.firstChild;
      // Drawn as the step of gradient descent: to the right, the logit grows.
      const width = clamp(Math.abs(gradient) * 50, 0, 50);
      Object.assign(push.style, { width: `${width}%`, left: gradient <= 0 ? "50%" : `${50 - width}%` });
      push.className = gradient > 0 ? "down" : "up";
    });
    this.find(".void").setAttribute("aria-pressed", label === null);
    this.find(".all-up").disabled = z.some((value) => value + 1 > HIGHEST);
    this.find(".all-down").disabled = z.some((value) => value - 1 < LOWEST);
    this.tell(p, asked, loss);
  }

  tell(p, asked, loss) {
    const { label, given, smoothing } = this;
    const [formula, words] = [this.find(".loss"), this.find(".read")];
    if (label === null) {
      formula.innerHTML = "A void pixel is not judged: loss <b>0</b>, and no gradient.";
      words.textContent = "";
      return;
    }
    const term = (i) => `${smoothing ? `${asked[i].toFixed(3)} · ` : ""}ln ${p[i].toFixed(3)}`;
    const terms = smoothing ? `(${p.map((_, i) => term(i)).join(" + ")})` : term(label);
    formula.innerHTML = `loss = −${terms} = <b>${loss.toFixed(3)}</b>`;
    const [name, best] = [given.names[label], p.indexOf(Math.max(...p))];
    words.textContent = best === label ? `The network says ${name}, and it is right.`
      : `The network says ${given.names[best]}; asked for is ${name}. A step against the gradient raises ${name} and lowers what stands in its way.`;
  }
}
if (!customElements.get("seg-logits")) customElements.define("seg-logits", Logits);
