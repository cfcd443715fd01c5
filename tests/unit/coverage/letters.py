"""A spec with everything that a scenario of several steps can meet, small enough to tell by hand."""

from functools import cache

import parcels

LETTERS = """edca 1

machine letter version "1.0.0" "A letter is drafted, approved by two, and sent."

role bot    model
role clerk  human
role editor human
role timer  clock

type money = decimal(2, 0.00 to 1000.00) in eur
entity letter key (letter_id: id) { writer: principal clerk fixed, cost: money, sealed: bool }

effect post(letter: letter, postage: money)
effect call_back(letter: letter)

case about letter by letter_id

memory { postage: money = 0.00 }

state work "It is in the house." {
  state blank   initial "Nothing is written."
  state drafted         "It is written."
  state approved        "It may be sent."
}
state lost             "Nobody knows where it is."
state sent     final   "It is on its way." success
state dropped  final   "It was never sent." failure

transition draft(letter_id: id) from blank to drafted {
  means "Write it." by bot, clerk answers editor
  limit pace count to 3 per rolling 1 hour per proposer "At most three an hour."
}

transition approve.cheap(letter_id: id, postage_paid: money) from drafted to approved when postage_paid <= 5.00 {
  means "Approve a cheap one." by bot, clerk answers editor
  confirm agreed by editor within 30 minutes "An editor must agree."
  limit daily sum(postage_paid) to 8.00 per utc day "Eight euros a day."
  set postage = postage_paid
}

transition approve.dear(letter_id: id, postage_paid: money) from drafted to approved when postage_paid > 5.00 {
  means "Approve a dear one." by bot, clerk answers editor
  require letter.cost >= postage_paid else refuse too_dear "It isn't worth that."
  sign twice by 2 of editor distinct from proposer of draft within 2 days "Two editors must sign."
  set postage = postage_paid
}

transition send(letter_id: id) from approved to sent {
  means "Send it." by clerk answers editor
  require letter.sealed else refuse open "It isn't sealed."
  require proposer != proposer of draft else refuse same_person "Somebody else must send it."
  do post(letter, postage)
    ensure letter.sealed
    undo   call_back(letter)
  on failed              go drafted "The post didn't take it."
  on timeout 30 seconds  go lost    "Nobody knows whether the post has it."
}

transition find(letter_id: id) from lost to sent { means "It was found." by editor answers editor }

transition drop(letter_id: id) from work, lost to dropped {
  means "Nobody went on with it." by timer answers editor after 14 days unblockable
}

mode strike "The post is on strike." { allow drop, draft enter by editor leave by editor }

never wasted "Never more postage than it is worth." while approved when postage > letter.cost
"""

DRAFTED = """  given letter("l1") { writer = "ann", cost = 9.00, sealed = true }
  when clerk "ann" proposes draft(letter_id: "l1")
  then accepted to drafted
"""


@cache
def letter() -> parcels.Ran:
    """The spec without a scenario."""
    return parcels.ran(LETTERS)


def story(body: str) -> parcels.ScenarioResult:
    """What comes of one scenario."""
    (result,) = letter().again(f'scenario "s" {{\n{body}\n}}')
    return result
