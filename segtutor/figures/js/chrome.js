// What all moving figures share: a shadow root with the style, the page's light or dark, builders.

// A number as it is written: at most two decimals, a true minus sign.
const say = (value) => String(Math.round(value * 100) / 100 || 0).replace("-", "−");
const sayFactor = (value) => (value < 0 ? `(${say(value)})` : say(value));
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const copy = (value) => JSON.parse(JSON.stringify(value));
// Text from outside (names of classes) becomes HTML only through this.
const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

const ICONS = {
  first: "M5 5h2v14H5zM20 5v14l-11-7z",
  back: "M17 5v14L6 12z",
  play: "M7 4v16l13-8z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  next: "M7 5v14l11-7z",
};
const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;

class SegFigure extends HTMLElement {
  connectedCallback() {
    if (!this.shadowRoot) {
      this.attachShadow({ mode: "open" });
      this.given = JSON.parse(this.dataset.figure);
      this.shadowRoot.innerHTML = `<style>${CSS}${this.css || ""}</style><div class="box">${this.frame()}</div>`;
      // Pages have shortcuts of their own: the keys that are used in here stay in here.
      this.shadowRoot.addEventListener("keydown", (event) => event.stopPropagation());
      this.start();
    }
    // Light ink means a dark page; books, JupyterLab and Colab say "dark" each in its own way.
    const dye = () => {
      const [r, g, b] = getComputedStyle(this).color.match(/[\d.]+/g).map(Number);
      this.toggleAttribute("dark", 0.3 * r + 0.59 * g + 0.11 * b > 128);
    };
    this.watch = new MutationObserver(() => requestAnimationFrame(dye));
    for (const node of [document.documentElement, document.body])
      this.watch.observe(node, { attributes: true });
    dye();
  }

  disconnectedCallback() {
    this.watch.disconnect();
  }

  find(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  // A number with a minus and a plus button: HTML here, its life in `bindStep`.
  step(name, label) {
    return `<span class="step" data-step="${name}"><span class="label">${label}</span><span>
      <button aria-label="${label}: less">−</button><output aria-label="${label}"></output>
      <button aria-label="${label}: more">+</button></span></span>`;
  }

  bindStep(name, low, high, get, set) {
    const box = this.find(`[data-step="${name}"]`);
    const [less, more] = box.querySelectorAll("button");
    less.onclick = () => set(clamp(get() - 1, low, high));
    more.onclick = () => set(clamp(get() + 1, low, high));
    return () => {
      box.querySelector("output").textContent = say(get());
      less.disabled = get() <= low;
      more.disabled = get() >= high;
    };
  }

  // Where a pointer is in an SVG, in the units of its viewBox.
  spot(svg, event) {
    const point = new DOMPoint(event.clientX, event.clientY);
    return point.matrixTransform(svg.getScreenCTM().inverse());
  }
}
