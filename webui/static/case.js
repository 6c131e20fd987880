// Moves a diagram that is wider than its box so that the step in progress can be seen, else where the case came to last,
// else where the process starts: the corner of a large diagram is white.
"use strict";

for (const box of document.querySelectorAll(".diagram")) {
  const last = [...box.querySelectorAll("[data-element]")].find((part) => part.dataset.element === box.dataset.last);
  const step = box.querySelector(".is-overdue, .is-open, .is-finding") ?? last ?? box.querySelector(".bpmn-startEvent");
  if (step) {
    const inside = step.getBoundingClientRect();
    const around = box.getBoundingClientRect();
    box.scrollLeft += inside.left - around.left - (around.width - inside.width) / 2;
    box.scrollTop += inside.top - around.top - (around.height - inside.height) / 2;
  }
}
