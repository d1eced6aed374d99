"use strict";
(() => {
  const root = document.documentElement;
  root.classList.remove("no-script");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const made = (tag, kind, text) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // -- theme: what the system says, until the reader says otherwise ------------------------------

  const themes = ["system", "light", "dark"];
  const themeButton = document.getElementById("theme");
  const remembered = {
    get: () => { try { return localStorage.getItem("nip-ap-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("nip-ap-theme", value); } catch { /* private mode */ } },
  };
  const dress = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    themeButton.lastElementChild.textContent = theme;
  };
  let theme = themes.includes(remembered.get()) ? remembered.get() : "system";
  dress(theme);
  themeButton.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    remembered.set(theme);
    dress(theme);
  });

  // -- transcripts: unpacked when the first one is looked at ---------------------------------------

  let unpacked = null;
  const transcripts = () => {
    unpacked ??= (async () => {
      const packed = document.getElementById("transcripts").textContent;
      if (!packed) return {};
      const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      return JSON.parse(await new Response(stream).text());
    })();
    return unpacked;
  };

  const arrows = { sent: "→", received: "←" };
  const LONG = 420;
  const elided = (text) => {
    const short = text.replace(/\b(?!(.)\1{63})([0-9a-f]{8})[0-9a-f]{56}([0-9a-f]{64})?\b/g, "$2…");
    return short.length > LONG ? `${short.slice(0, LONG)}…` : short;
  };

  const token = /("(?:\\.|[^"\\])*"?)(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
  const highlight = (into, text) => {
    into.textContent = "";
    const start = text.search(/[[{]/);
    if (start < 0) { into.textContent = text; return; }
    let at = start;
    into.append(text.slice(0, start));
    for (const found of text.slice(start).matchAll(token)) {
      const where = start + found.index;
      into.append(text.slice(at, where));
      const [whole, string, colon, number] = found;
      const kind = string ? (colon ? "json-key" : "json-string") : number ? "json-number" : "json-word";
      into.append(made("span", kind, string ?? whole), colon ?? "");
      at = where + whole.length;
    }
    into.append(text.slice(at));
  };

  const frameItem = ([at, who, door, direction, text, beyond]) => {
    const item = made("li", direction);
    const name = made("span", "who", `${who} ${arrows[direction]} relay `);
    name.append(made("span", "door", door));
    const code = made("code");
    const short = elided(text);
    const show = (open) => {
      const rest = open && beyond ? ` … (${beyond} more characters in the transcript file)` : "";
      if (direction === "note") code.textContent = who === "suite" ? short : `${who}: ${short}`;
      else highlight(code, (open ? text : short) + rest);
    };
    show(false);
    const tools = made("span", "tools");
    if (direction !== "note") {
      if (short !== text || beyond) {
        const fold = made("button", "fold", "Unfold");
        fold.type = "button";
        fold.setAttribute("aria-expanded", "false");
        fold.addEventListener("click", () => {
          const open = fold.getAttribute("aria-expanded") === "false";
          fold.setAttribute("aria-expanded", String(open));
          fold.textContent = open ? "Fold" : "Unfold";
          show(open);
        });
        tools.append(fold);
      }
      const copy = made("button", "copy", "Copy");
      copy.type = "button";
      copy.setAttribute("aria-label", `Copy the frame at ${at} seconds`);
      copy.addEventListener("click", () => toClipboard(text, copy));
      tools.append(copy);
    }
    item.append(made("span", "at", at.toFixed(3)));
    if (direction !== "note") item.append(name, tools);
    item.append(code);
    return item;
  };

  const showWire = async (check) => {
    const wire = check.querySelector(":scope > .inside > .wire");
    if (wire.dataset.shown) return;
    wire.dataset.shown = "yes";
    let frames;
    try {
      frames = (await transcripts())[check.dataset.check];
    } catch {
      wire.append(made("p", "quiet", `This browser cannot unpack the transcripts; ${wire.dataset.file} has them.`));
      return;
    }
    if (!frames) return;
    const list = made("ol", "frames");
    for (const frame of frames) {
      if (Array.isArray(frame)) list.append(frameItem(frame));
      else list.append(made("li", "gap", `${frame} frames are left out here; ${wire.dataset.file} has them`));
    }
    wire.replaceChildren(list);
  };

  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.matches(".check")) showWire(event.target);
  }, true);

  // -- copying ---------------------------------------------------------------------------------------

  const toClipboard = async (text, button) => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = made("textarea", "hidden", text);
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const before = button.dataset.label ??= button.textContent;
    button.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (button) toClipboard(button.previousElementSibling.textContent, button);
  });

  // -- filter and search -----------------------------------------------------------------------------

  const clauses = all(".clause");
  const filters = all(".filters button");
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const searched = new Map();
  const textOf = (clause) => {
    if (!searched.has(clause)) {
      const names = all(".check", clause).map((check) => check.dataset.check.replaceAll("_", " "));
      const own = [clause.querySelector("summary"), clause.querySelector(".text"), clause.querySelector(".source")];
      searched.set(clause, [...own.map((one) => one.textContent), ...names].join("\n").toLowerCase());
    }
    return searched.get(clause);
  };
  const narrow = () => {
    const verdicts = filters.find((one) => one.getAttribute("aria-pressed") === "true").dataset.verdicts.split("|");
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const clause of clauses) {
      const fits = verdicts.includes(clause.dataset.verdict) && words.every((word) => textOf(clause).includes(word));
      clause.hidden = !fits;
      count += fits;
    }
    for (const group of all("section.group")) group.hidden = !group.querySelector(".clause:not([hidden])");
    nothing.hidden = count > 0;
    shown.textContent = count === clauses.length ? `${count} clauses` : `${count} of ${clauses.length} clauses`;
  };
  const choose = (button) => {
    for (const one of filters) one.setAttribute("aria-pressed", String(one === button));
    narrow();
  };
  const showAll = () => { search.value = ""; choose(filters[0]); };
  for (const button of filters) button.addEventListener("click", () => choose(button));
  search.addEventListener("input", narrow);
  search.form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("reset").addEventListener("click", () => { showAll(); search.focus(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.matches("input, textarea")) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape" && event.target === search) showAll();
  });
  const unfold = document.getElementById("unfold");
  unfold.addEventListener("click", () => {
    const open = unfold.textContent.startsWith("Open");
    for (const clause of clauses) if (!clause.hidden) clause.open = open;
    unfold.textContent = open ? "Close all shown" : "Open all shown";
  });
  narrow();

  // -- links to a clause or a check --------------------------------------------------------------------

  const follow = () => {
    let name;
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = name && document.getElementById(name);
    if (!target || !target.matches("details")) return;
    const clause = target.closest(".clause");
    if (clause.hidden) showAll();
    clause.open = true;
    target.open = true;
    if (target === clause) {
      const checks = all(".check", clause);
      const red = checks.filter((one) => !one.matches(".pass, .not-applicable"));
      if (checks.length === 1) checks[0].open = true;
      else if (red.length) red[0].open = true;
    }
    target.querySelector("summary").focus({ preventScroll: true });
    target.scrollIntoView({ block: "start" });
  };
  window.addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) follow();
  });
  follow();
  window.addEventListener("load", () => setTimeout(follow)); // the browser's own jump took the focus

  // -- paper: what does not hold is printed with its frames ----------------------------------------------

  window.addEventListener("beforeprint", () => {
    for (const one of all(".clause, .check")) if (!one.matches(".pass, .not-applicable")) one.open = true;
  });
})();
