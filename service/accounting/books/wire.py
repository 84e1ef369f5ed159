"""The short names under which Redis and the ledger hold what is counted, each with its meaning.

They stand in the ledger for ever: one that was given out is never given another meaning. Scripts
(``stores/connection/lua``) write them, ``accounting/replay`` reads them a second time. The page of
the data model is written from here.
"""

from collections.abc import Mapping

Names = Mapping[str, str]

CLAIM: Names = {
    "id": "claim id",
    "m": "the member for whom it was first drawn, as a keyed hash",
    "n": "counts what happened to it; compared by the script, so that two runs cannot overlap",
    "v": "version in force",
    "s": "status",
    "mv": "what it holds: a JSON list of rows",
    "fp:VERSION": "fingerprint of the content of a version",
    "e:VERSION": "the ledger entry with the record of a version",
    "by": "the claim that replaced or voided it",
    "bb": "of a charge (its id begins with `charge:`) the claims that billed it, with `|` between",
}

ACCOUNTS: Names = {
    "id": "authorization id",
    "n": "counts what happened to it",
    "v": "the version whose limits count",
    "st": "`open` or `void`",
    "BASE.ul": "limit of units of a base: `H` the header, `L1` a line, `L1@` by renewal,"
    " `L1~` by rate",
    "BASE.ml": "limit of the amount",
    "BASE.dl": "limit of days of service",
    "BASE.k": "the unit",
    "ACCOUNT.uu": "units used of an account: that of a base, or of a period such as"
    " `L1@2026-03-10`",
    "ACCOUNT.ur": "units reserved",
    "ACCOUNT.mu": "amount used",
    "ACCOUNT.mr": "amount reserved",
    "ACCOUNT.du": "days used",
    "ACCOUNT.dr": "days reserved",
    "sh": "how its lines are told apart and counted, condensed: a version with another one is"
    " recounted",
    "ln": "its lines, `NUMBER:OWN:SERVICE:CODE:REST:PERIODS` with commas between them, each part"
    " condensed",
    "gh": "the lines of earlier versions that are gone and still hold units, written alike",
    "ut": "the lines whose measure cannot say what was drawn before, with commas between them",
    "ACCOUNT.uc": "units used more than claims say, or less (below zero): corrected by hand",
    "ACCOUNT.mc": "amount corrected",
    "ACCOUNT.dc": "days corrected",
    "c:CORRECTION": "what a correction said, both as hashes",
    "LINE.end": "the day on which the line was found to be gone",
}

TOKENS: Names = {
    "ACCOUNT|u|ITEM": "how often a visit or study is held, used and reserved: `2:0`",
    "ACCOUNT|d|DAY": "how often a day of service is held",
}

ROW: Names = {
    "l": "claim line",
    "p": "part of the line",
    "k": "kind; `counted` of a row that draws nothing and counts the line for tables",
    "a": "authorization, or the counters of the member",
    "al": "its line",
    "o": "origin of the choice",
    "u": "units of the claim line",
    "m": "money",
    "pr": "what of the charge of these units is over the authorized price; only where any is",
    "f": "the unit of the claim line with which it begins",
    "d": "for each account a list: its name, units, amount, `0`, numerator and denominator of the"
    " conversion, visits or studies, days",
}

MOVED: Names = {
    "row": "the row",
    "moved": "for each account of it `n` its name, `b` its balances before and `f` after",
}

ENTRY: Names = {
    "k": "kind of what happened",
    "at": "when",
    "by": "by whom, as authenticated",
    "obo": "on whose behalf, where somebody else was named",
    "why": "why",
    "c": "claim",
    "v": "version of the claim, or of the authorization of an amendment or correction",
    "n": "what the claim counts then",
    "s": "status of the claim then",
    "m": "member of the claim",
    "fp": "fingerprint; only a draw has it",
    "oc": "the original that is replaced or voided",
    "on": "what the original counts then",
    "om": "member of the original",
    "os": "status of the original then",
    "r": "rows that were drawn, each with what it moved",
    "u": "rows that were given back",
    "o": "rows that were given back by the original",
    "t": "of lines that came out short, rows of nothing: what was tried, with the balances it had",
    "bl": "balances of candidates after it: `a` authorization, `n` account, `f` its balances",
    "w": "lines that got nothing because they could not get all",
    "sk": "kinds that were short by themselves, `line|kind`",
    "am": "limits that came into force with a first use",
    "a": "authorization of an amendment or correction",
    "set": "fields of its accounts that were set",
    "del": "fields of its accounts that were dropped",
    "ci": "the id of a correction",
    "cf": "its hash",
    "ch": "the hash of what it says",
    "cr": "what it corrects: account, units, amount and days to be added",
    "q": "the new count of each authorization, so that a missing entry is noticed",
    "mt": "authorizations that were found, with `|` between them",
    "b": "the record",
    "cd": "what a recount moved of what was corrected by hand: authorization, account, units,"
    " amount and days",
    "cs": "claims of a recount: of each its id, new count, member, status, and how many of `u` and"
    " of `r` are its own",
    "wt": "`1` of a claim that waits",
    "cb": "charges that the claim took the place of: of each its id, new count, the claims that"
    " billed it, and how many of `cg` are its own",
    "cg": "rows that were given back by these charges",
}

TABLES: Mapping[str, Names] = {
    "a claim": CLAIM,
    "accounts": ACCOUNTS,
    "tokens": TOKENS,
    "a row": ROW,
    "a row that was moved": MOVED,
    "a ledger entry": ENTRY,
}
"""All of them, by what they are the fields of."""
