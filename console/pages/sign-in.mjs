// Signing in. Nobody signs up: people are invited.

import { actionForm, field, h } from "../dom.mjs";
import { signIn } from "../session.mjs";
import { texts } from "../texts.mjs";

/** @type {(start: () => Promise<void>) => any} */
export const signInPage = (start) =>
  h(
    "div",
    { class: "sign-in card" },
    h("h1", null, texts.signIn.title),
    actionForm(
      [
        field(
          texts.signIn.email,
          h("input", { name: "email", type: "email", autocomplete: "username", required: true }),
        ),
        field(
          texts.signIn.password,
          h("input", { name: "password", type: "password", autocomplete: "current-password", required: true }),
        ),
      ],
      texts.signIn.button,
      async ({ email, password }) => {
        await signIn(email, password);
        await start();
      },
    ),
  );
