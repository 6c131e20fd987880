// Moves a diagram that is wider than its box so that the step in progress can be seen.
"use strict";

for (const box of document.querySelectorAll(".diagram")) {
  const step = box.querySelector(".is-overdue, .is-open, .is-finding");
  if (step) {
    const inside = step.getBoundingClientRect();
    const around = box.getBoundingClientRect();
    box.scrollLeft += inside.left - around.left - (around.width - inside.width) / 2;
    box.scrollTop += inside.top - around.top - (around.height - inside.height) / 2;
  }
}
