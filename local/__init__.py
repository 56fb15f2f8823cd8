"""The local stack: what `supabase start` gives, without Docker, from real parts."""
