"""A compiled spec for people: prose to sign off, what changed between two versions, and the states as a picture.

```
checked spec ──signoff──▶ page ──markdown | html──▶ text
two pages ──difference──▶ page
machine ──graph──▶ mermaid | dot | layout ──svg──▶ picture
```

Everything is computed from what was compiled, never from the text of the file, so that it says what will run; only the
cells of tables are shown as they were written. The same spec gives the same bytes everywhere. Read `signoff` first.
"""
