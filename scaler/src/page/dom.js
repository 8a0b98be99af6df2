// The few things this page needs of the DOM. Text reaches it through textContent only.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    } else if (name === "testid") {
      node.setAttribute("data-testid", value);
    } else {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Makes an HTML element. Strings among the children become text nodes. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an SVG element. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Sets text, and touches the DOM only when it differs. */
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Sets or, with null, removes an attribute, and touches the DOM only when it differs. */
export function attr(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value);
  }
}

/** Shows or hides an element. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

const viewsOf = new WeakMap();

/**
 * Makes the children of `parent` match `items`: one view per key, in order, kept between calls.
 * `create(item)` gives `{ element, update(item) }`.
 */
export function keyed(parent, items, keyOf, create) {
  if (!viewsOf.has(parent)) viewsOf.set(parent, new Map());
  const views = viewsOf.get(parent);
  const wanted = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    if (wanted.has(key)) continue;
    wanted.add(key);
    let view = views.get(key);
    if (!view) {
      view = create(item);
      views.set(key, view);
    }
    if (view.element === place) place = place.nextElementSibling;
    else parent.insertBefore(view.element, place);
    view.update(item);
  }
  for (const [key, view] of views) {
    if (!wanted.has(key)) {
      view.element.remove();
      views.delete(key);
    }
  }
}

/** Puts text on the clipboard, by the old way where the new one is refused. */
async function toClipboard(value) {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    const area = h("textarea", { class: "hidden", readonly: true });
    area.value = value;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** A button that copies what `value()` gives as JSON, and says so. */
export function copyButton(label, value, attributes = {}) {
  const button = h("button", { type: "button", class: "quiet copy", ...attributes }, label);
  let back = 0;
  button.addEventListener("click", async () => {
    const done = await toClipboard(JSON.stringify(value(), null, 2));
    button.textContent = done ? "Copied" : "Not copied";
    clearTimeout(back);
    back = setTimeout(() => (button.textContent = label), 1600);
  });
  return button;
}

/** Remembers a choice in this browser; without storage, for as long as the page lives. */
export const remembered = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // The choice then lasts as long as the page.
    }
  },
};

/** A row of buttons of which one is chosen. `options` are `[value, label]`. */
export function choice(name, onChoose) {
  const element = h("div", { class: "choice", role: "group", "aria-label": name });
  return {
    element,
    update(options, chosen) {
      show(element, options.length > 1);
      keyed(element, options, ([value]) => value, ([value]) => {
        const button = h("button", { type: "button", on: { click: () => onChoose(value) } });
        return { element: button, update: ([, label]) => text(button, label) };
      });
      options.forEach(([value], index) => {
        attr(element.children[index], "aria-pressed", String(value === chosen));
      });
    },
  };
}
