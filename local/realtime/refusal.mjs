// Why a channel is refused or closed, in the words of Supabase Realtime: clients and their users look for them.

/** `code` for programs, `message` for people; `reason` is what an error reply carries. Never holds a token or a row. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  get reason() {
    return `${this.code}: ${this.message}`;
  }
}
