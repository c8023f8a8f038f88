"""Sentences of the evidence in the reader's language.

What checks state is signed in English and stays as it is, in the ledger and in every file that is downloaded. A page
that is read in another language shows those sentences translated that it knows: the words of rules and checks as they
are, and sentences with names and numbers in them by their pattern. Everything else stays English, and says so
(WCAG 2.2, 3.1.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import IO, Any

from hallmarked.checks import registry
from hallmarked.checks.documentation import declared, sections
from hallmarked.web.language import Language

LONGEST = 1_000
"""Characters of a sentence that is looked up."""
DEEPEST = 3
"""Sentences within sentences that are followed."""
PATTERNS = (
    # claims: hallmarked.cards.rules and hallmarked.cards.claim
    "%(sentence)s: there is no report of the check %(check)s",
    "no licence text was read",
    "nothing was compared",
    "nothing was measured",
    "no parameters were counted",
    "the files were not listed",
    "nobody but a person can compare a licence that has no id",
    "%(path)s is the text of %(licence)s",
    "no licence text was found beside the card; add it as LICENSE",
    "%(same)s of %(count)s tensors are bit-identical to the base that was given",
    "%(sentence)s, %(shaped)s have the same name and shape",
    "%(sentence)s; training changes tensors, so that this settles nothing",
    "the base was not at hand to compare with; give it with --base",
    "the configuration names it as well; the base was not at hand to compare with; give it with --base",
    "the adapter's configuration names %(base)s",
    "no parameters were counted in the files",
    "%(total)s were counted (%(others)s without embeddings); “%(written)s” covers %(low)s to %(high)s",
    "%(total)s were counted (%(others)s without embeddings); “%(written)s” covers only %(low)s",
    "%(total)s were counted; “%(written)s” covers %(low)s to %(high)s",
    "%(total)s were counted; “%(written)s” covers only %(low)s",
    "%(sentence)s, but %(second_sentence)s",
    "the sentence may speak of another model or of a part",
    "these are the weights of an adapter, and the number may be its base model's",
    "packed weights hold several parameters in one element",
    "another number in the card covers that",
    "the files do not show which library they are for",
    "the files are for %(library)s",
    "the files are for %(library)s, which cannot be compared with %(claimed)s",
    "the files name no architecture that is made for one kind of task",
    "the configuration names %(class)s, which does that",
    "the configuration names %(class)s, which is for %(task)s",
    "the files do not name an architecture",
    "the configuration says %(class)s",
    "the configuration says %(class)s; the words cannot be compared",
    "the code is well formed; nothing measured which languages it handles",
    "“%(code)s” is no language code of ISO 639 or BCP 47, so programs cannot find it; write “en” or “pt-BR”",
    "the file is there",
    "the folder is there",
    "the link leads to a page of the Hub, not to a file",
    "the link leads out of the repository",
    "there is no such file here; the text may mean one elsewhere",
    "there is no such file",
    "%(share)s of the %(count)s texts that were looked at are in it",
    "none of the %(count)s texts that were looked at was found to be in it",
    "%(count)s rows were counted",
    "%(count)s rows were counted; the claim may speak of a part of them",
    "no evaluation run was attested",
    "no evaluation run was attested; its verification token cannot be checked offline",
    "no energy or emissions measurement was attested",
    "no statement says how it was made",
    "the records were not counted",
    "the evidence is about other bytes than the ones here now; audit again",
    "the check %(check)s could not see everything",
    "the check %(check)s could not see everything: %(sentence)s",
    # claims that are declared: hallmarked.cards.held, .known, .declared, .evaluation and hallmarked.policy.requirement
    "%(sentence)s, and nobody but its maker says so",
    "%(sentence)s, and nobody who is known here signed that",
    "some of the evidence is disputed: %(reason)s",
    "it is disputed: %(reason)s",
    "no reason is given",
    "%(who)s took it back: %(reason)s",
    "%(who)s took it back",
    "the check %(check)s was version %(old)s then, and is %(new)s now; audit again",
    "the check %(check)s followed other rules then than now; audit again",
    "this claim cannot be understood: %(reason)s",
    "two claims have the id %(id)s; give each its own",
    "%(fact)s was measured by %(who)s, which agrees with the card",
    "%(fact)s was measured by %(who)s, and the card says %(value)s",
    "%(fact)s was measured by %(who)s, and the card says %(value)s; the interval is too wide to tell",
    "%(fact)s was measured by %(who)s, and the card says %(value)s; without an interval nobody can tell"
    " whether they differ",
    "its maker says so; nothing is asked that could be measured",
    "nothing is stated about %(path)s",
    "nothing is stated about parts of %(path)s",
    "%(path)s is %(value)s, stated by %(who)s; only the word of %(roles)s counts here",
    "%(path)s is %(value)s, which is disputed: %(reason)s",
    "%(path)s is %(value)s, but that is about other bytes than the ones here now",
    "%(path)s is %(value)s, but with a date later than the moment that is judged",
    "%(path)s is %(value)s, but that was stated %(age)s ago, and may be %(most)s old",
    "%(path)s is %(value)s, but only %(count)s were looked at; %(least)s are asked for",
    "%(path)s is %(value)s, but nobody says how many were looked at; %(least)s are asked for",
    "%(path)s is %(value)s, and none may be",
    "%(path)s is %(value)s, which is no number that could be compared with %(asked)s",
    "%(path)s is %(value)s; %(asked)s lies within that interval, so that nobody can tell",
    "%(path)s is %(value)s, as asked",
    "%(path)s is %(value)s, but %(asked)s is asked for",
    "%(path)s is %(value)s, and other than %(asked)s is asked for",
    "%(path)s is %(value)s, but other than %(asked)s is asked for",
    "%(path)s is %(value)s, and less than %(asked)s is asked for",
    "%(path)s is %(value)s, but less than %(asked)s is asked for",
    "%(path)s is %(value)s, and at most %(asked)s is asked for",
    "%(path)s is %(value)s, but at most %(asked)s is asked for",
    "%(path)s is %(value)s, and more than %(asked)s is asked for",
    "%(path)s is %(value)s, but more than %(asked)s is asked for",
    "%(path)s is %(value)s, and at least %(asked)s is asked for",
    "%(path)s is %(value)s, but at least %(asked)s is asked for",
    "%(path)s is %(value)s, and one of %(asked)s is asked for",
    "%(path)s is %(value)s, but one of %(asked)s is asked for",
    "the check %(check)s looked, and stated nothing about %(path)s",
    "the check %(check)s did not finish, or could not see everything",
    "the card declares no claim about the worst part, so that nobody can tell which way is worse",
    "did not run",
    "no finding at the threshold",
    "not everything could be established, which this context accepts",
    "%(count)s findings of level %(level)s or higher",
    "%(count)s finding of level %(level)s or higher",
    # the history of claims: hallmarked.cards.timeline
    "%(name)s was pushed",
    "%(who)s wrote down what the card says",
    "%(who)s opened a dispute",
    "%(who)s settled or answered a dispute",
    "%(who)s took a claim back",
    "%(who)s ran the check %(check)s",
    "%(who)s stated what they measured",
    "the evidence became too old",
    "the checks in use now are others than then",
    # what people stated: hallmarked.records
    "%(who)s disputes %(about)s: %(reason)s",
    "%(who)s says to the dispute about %(about)s: %(reason)s",
    "%(who)s withdraws the claim %(about)s: %(reason)s",
    "%(who)s waives %(about)s in the context %(name)s until %(day)s: %(reason)s",
    "%(who)s decided on %(day)s, %(title)s: %(chosen)s, not %(others)s (%(id)s)",
    "%(who)s %(step_sentence)s it, %(day)s",
    # where it comes from: hallmarked.cards.lineage
    "What it was made from",
    "not drawn, see the table",
    "signed",
    "broken",
    "open",
    "unknown signer",
    "collected",
    "curated",
    "trained",
    "fine-tuned",
    "evaluated",
    "approved",
    "deployed",
    "nobody signed for collecting the data behind %(what)s",
    "nobody signed for collecting %(what)s",
    "nobody signed for curating %(what)s",
    "nobody signed for training %(what)s",
    "nobody signed for evaluating %(what)s",
    "nobody signed for approving %(what)s",
    "nobody signed for deploying %(what)s",
    "nobody signed where %(what)s comes from",
    "nobody signed where %(what)s comes from, from which %(made)s was made",
    "the card of %(whose)s names %(what)s, but nobody signed which bytes that was",
    "going back from %(name)s leads to it again (%(names)s), and nothing can be made from itself (signed "
    "by %(signers)s)",
    "%(signer)s gives %(name)s digests that belong to different things",
    "%(signer)s says that %(name)s was %(step_sentence)s from %(materials)s, %(other)s that it was "
    "%(again_sentence)s from %(others)s",
    "%(name)s was %(step_sentence)s on %(day)s, before %(source)s, which it was made from, was "
    "%(again_sentence)s on %(later)s",
    "%(signer)s says that collecting brought %(paths)s, which the files at hand do not hold with these contents",
    "nobody signed for fine-tuning %(what)s",
    "%(signer)s says that %(name)s was %(step_sentence)s, but not from what",
    "%(signer)s signed that %(name)s was %(step_sentence)s, and is not among those you trust",
    "%(signer)s signed what %(name)s was made from, and is not among those you trust",
    "a statement of %(signer)s cannot be read: %(reason)s",
    "there are more links than are followed",
    "All %(total)s files come from %(count)s events that were signed",
    "%(count)s of %(total)s files come from no event that was signed: %(paths)s",
    "the gate %(name)s was changed to %(digest)s by %(day)s, and no decision says why",
    "the threshold %(name)s was changed to %(digest)s by %(day)s, and no decision says why",
    "the moderation rule %(name)s was changed to %(digest)s by %(day)s, and no decision says why",
    "%(column)s: fewer than two prompts were measured, so that nothing can be compared",
    "%(column)s: no difference between prompts is shown",
    "%(column)s: higher under %(high)s (%(most)s) than under %(low)s (%(least)s); their intervals do not overlap",
    "%(column)s: higher under %(high)s (%(most)s) than under %(low)s (%(least)s); no interval is given, "
    "so that it may be chance",
    # findings and gaps: hallmarked.checks
    # hallmarked.corpus.search.ask, hallmarked.hub.passage and hallmarked.hub.job.passage
    "a question has at most %(count)s characters",
    "a question of fewer than %(words)s words has at most %(count)s characters",
    "this looks like somebody's personal data; leave out addresses and numbers, and ask for the words around",
    "wildcards are not understood here; enter the words themselves",
    "enter at least %(words)s words in a row, or %(letters)s letters",
    "this looks like a name or an address; enter a sentence of the text that you look for",
    "you have asked %(count)s times; ask again in %(minutes)s minutes",
    "this asks for many versions of the same sentence; that is not answered here",
    "on this hub nobody can look for passages",
    "the index could not be made: %(sentence)s",
    "%(name)s holds no tables or texts: nothing to index",
    # hallmarked.checks.duplicate
    "%(count)s of %(rows)s texts are copies of others (%(share)s)",
    "%(count)s of %(rows)s texts are nearly the same as others (%(share)s)",
    "%(place)s has the same words as %(other)s",
    "%(place)s is nearly the same as %(other)s, or as a text that is",
    "%(count)s of %(rows)s texts of the split %(split)s stand, the same or nearly, in %(other)s: the first is %(place)s"
    ", and there %(twin)s",
    "%(path)s was not compared as a whole: %(sentence)s",
    "%(path)s has no texts that could be compared",
    "texts were not compared: %(sentence)s",
    "passages were not compared: %(sentence)s",
    "%(count)s words from word %(word)s of %(place)s on stand, passage by passage, in other texts",
    "%(share)s of the passages of texts stand in several of them; "
    "one, from word %(word)s of %(place)s on, in %(count)s",
    "%(count)s texts could not be read again, and their passages were not compared",
    "%(count)s texts could not be read again, and were not compared with others",
    # hallmarked.checks.leak
    "%(count)s of %(items)s items of %(benchmark)s stand in the data",
    "%(count)s of %(items)s items of %(benchmark)s may stand in the data",
    "Item %(item)s of %(benchmark)s: %(count)s of its %(total)s words match in order, %(run)s in a row"
    ", in row %(row)s of %(path)s, words %(first)s to %(last)s",
    "Item %(item)s of %(benchmark)s: %(count)s of its %(total)s words match in order, %(run)s in a row"
    ", in row %(row)s of %(path)s, words %(first)s to %(last)s; its answer stands near",
    "Item %(item)s of %(benchmark)s: %(count)s of its %(total)s words match in order, %(run)s in a row"
    ", in row %(row)s of %(path)s, words %(first)s to %(last)s; its answer was not found near",
    "%(path)s was not looked through as a whole: %(sentence)s",
    "%(count)s rows cannot be read",
    "%(count)s places were not compared: some texts match the benchmarks all over",
    "%(count)s items of %(benchmark)s have fewer than three words and were not looked for",
    "%(count)s rows or files of the benchmark %(benchmark)s cannot be read: %(sentence)s",
    # hallmarked.checks.dataset
    "%(path)s cannot be understood, so that nothing of it was compared",
    "dataset.toml says what column %(column)s is for (%(role)s), and it is not there",
    "%(place)s have too many columns; the first were counted",
    "%(host)s gives %(share)s of the %(count)s addresses in column %(column)s",
    "%(count)s of %(values)s values of %(column)s say no date that can be read",
    "column %(column)s has too many or too long values to divide rows by them",
    "column %(column)s, which dataset.toml names, has no value in any row",
    "%(value)s is %(share)s of the %(rows)s rows with a value of %(column)s (interval %(low)s to"
    " %(high)s), less than the %(reference)s declared",
    "%(value)s is %(share)s of the %(rows)s rows with a value of %(column)s (interval %(low)s to"
    " %(high)s), more than the %(reference)s declared",
    "labels were not counted by column %(column)s: there are too many different labels",
    "how labels go with the words of groups was not counted: there are too many different labels",
    "label %(label)s is on %(share)s of the %(rows)s rows of %(value)s, and on %(other)s of the %(others)s others",
    "how many rows a model made was not counted: no column says where rows are from",
    "how many rows a model made was not counted: %(column)s has too many values",
    "of %(count)s of %(rows)s rows it is not known whether a model made them",
    "%(count)s of %(rows)s rows (%(share)s) went through models up to %(depth)s times",
    "dataset.toml does not say: %(members)s",
    "column %(column)s is declared to be needed, and is not there",
    "Column %(column)s is named as one that identifies people",
    "Column %(column)s has another value in each of %(rows)s rows, as numbers and names of people have",
    "Column %(column)s is not among those that are declared to be needed",
    "how many rows are older than they are to be kept was not counted: no column is declared to say from when a row is",
    "how many rows are older than they are to be kept was not counted: column %(column)s says no date",
    "%(count)s of %(rows)s rows are from before %(day)s, and so were older than %(days)s days on %(as_of)s",
    "collected in %(place)s, to be used for %(uses)s, and no basis is declared",
    "%(count)s of %(n)s (%(share)s) texts say the same words or lines again and again",
    "%(count)s of %(n)s (%(share)s) texts hold characters that stand for lost ones",
    "%(count)s of %(n)s (%(share)s) rows have no text",
    "%(path)s was not read as a whole; what is told of texts is of the rest",
    "texts were not told apart by column %(column)s: it has too many or too long values",
    # hallmarked.checks.provenance
    "%(path)s is in no account of where the rows come from",
    "%(path)s is missing, which the build wrote",
    "%(path)s was changed after the build wrote it",
    "the account of %(name)s is missing (%(path)s)",
    "the account of %(name)s was changed (%(path)s)",
    "the account of %(name)s cannot be read: %(sentence)s",
    "The files hold %(rows)s rows, but the sources gave %(count)s: one of either is not written down",
    "The source %(name)s says “%(written)s”, which is no licence known here",
    "The source %(name)s has no licence",
    "no licence of the sources keeps what all of them ask for (%(licences)s)",
    "%(count)s generations of models stand behind some rows",
    "where the rows come from could not be established: %(sentence)s",
    "how many rows a model wrote is not known: a source does not say it",
    "how many generations of models stand behind the rows is not known",
    # hallmarked.checks.documentation
    "%(path)s, line %(line)s: the claim about %(claimed)s belongs on the card of a system",
    "%(path)s, line %(line)s: a model by itself has no “%(thing)s”; that is part of a system",
    "%(path)s says more about guardrails than is listed here",
    "%(path)s, line %(line)s: %(name)s (%(kind)s) has no digest, so that nobody can tell which one is meant",
    "%(path)s is the card of a system and names no model that it is made of",
    "%(path)s is the card of a system and says nothing about its parts of the kind %(kind)s",
    "%(path)s, line %(line)s: this entry is too long to be written down",
    "%(path)s lists %(count)s entries under %(group)s; %(kept)s were written down",
    # hallmarked.checks.personal
    "%(path)s holds %(count)s %(kind_sentence)s in %(hits)s of %(rows)s rows, column %(column)s",
    "%(files)s more files hold %(count)s %(kind_sentence)s",
    "%(path)s was not searched as a whole for personal data",
    "something was found in %(share)s of the %(rows)s rows of %(value)s (%(column)s; interval %(low)s to %(high)s), "
    "and in %(other)s of the others",
    "column %(column)s has too many or too long values to compare groups by them",
    "e-mail addresses",
    "telephone numbers",
    "numbers of payment cards",
    "bank accounts (IBAN)",
    "bank routing numbers (United States)",
    "internet addresses (IP)",
    "hardware addresses (MAC)",
    "addresses of crypto wallets",
    "keys and tokens",
    "private keys",
    "passwords",
    "dates of birth",
    "passport numbers",
    "driving licence numbers",
    "exact places (coordinates)",
    "numbers of mobile devices (IMEI)",
    # hallmarked.checks.table
    "%(path)s: row %(row)s: %(sentence)s",
    "%(path)s: rows from %(row)s on: %(sentence)s",
    "%(path)s: %(count)s rows cannot be read",
    "%(path)s was not read as a whole; the numbers are of the rest",
    "%(path)s: %(sentence)s, from row %(row)s on",
    "bytes that are not UTF-8 were read as %(encoding)s",
    "Column %(column)s is missing in %(count)s of %(total)s files: %(files)s",
    "Column %(column)s is of the kind %(kind)s in %(count)s of %(total)s files: %(files)s, elsewhere %(usual)s",
    "%(count)s more columns differ between files",
    "%(path)s, part %(number)s of %(total)s: not looked at: %(sentence)s",
    "%(path)s, part %(number)s of %(total)s, about %(bytes)s bytes: not looked at: %(sentence)s",
    "it ran out of memory",
    "it was not done after %(seconds)s s",
    "%(path)s could not be counted: %(sentence)s",
    "%(count)s of %(rows)s rows are copies of others (%(share)s)",
    "Column %(column)s holds nothing in %(rows)s rows",
    "Column %(column)s holds values of several kinds: %(kinds)s",
    "the row is not JSON: %(reason)s",
    "the row is not a JSON object",
    "the row is not UTF-8",
    "the row is nested too deep",
    "the row has %(found)s fields, not %(wanted)s as the first",
    "%(path)s says nothing under “%(title)s”: %(sentence)s",
    "%(path)s has a heading for “%(title)s” on line %(line)s and nothing under it: %(sentence)s",
    "%(path)s has no metadata block",
    "The metadata of %(path)s lacks %(fields)s",
    "There is no README.md",
    "no file was scanned for malware: no ClamAV daemon was found (%(reason)s; HALLMARKED_CLAMD can name another)",
    "no file was scanned for malware: no ClamAV daemon answered at %(place)s (%(reason)s)",
    "none of the usual sockets exists",
    "what answered is not ClamAV",
    "the licence of the base %(base)s could not be established: %(reason)s",
    "the code of %(repository)s is not part of this revision and was not examined",
    "%(path)s, which %(other)s names as code to run, is not here and was not examined",
    "%(path)s could not be searched for credentials: %(reason)s",
    "%(path)s could not be searched for code: %(reason)s",
    "%(path)s could not be read: %(reason)s",
    "Nothing could be examined: no file is of a format that is known here.",
    "%(path)s: %(sentence)s (%(rule)s)",
    "When this pickle is loaded, %(sentence)s",
    "When this pickle is loaded, %(sentence)s.",
    "pickle: %(sentence)s",
    "it calls %(function)s, which can run commands and change files",
    # what a data set holds: hallmarked.audit.report.dataset and .figure
    "Rows",
    "Words",
    "Language",
    "Copies",
    "Texts",
    "Vocabulary",
    "Languages",
    "Ages",
    "Hosts",
    "Made by models",
    "Purpose",
    "Collected in",
    "To be used for",
    "Privacy",
    "Kept for",
    "Texts alike",
    "Personal data",
    "Benchmarks",
    "Lengths of texts",
    "Share",
    "Value",
    "Month",
    "Year",
    "Host ends in",
    "month",
    "months",
    "year",
    "years",
    "text",
    "integer",
    "number",
    "boolean",
    "mixed",
    "empty",
    "list",
    "object",
    "bytes",
    "Ages: %(column)s",
    "Hosts: %(column)s",
    "Values: %(column)s",
    "%(count)s rows are copies of others",
    "%(count)s rows are copies of others (%(share)s)",
    "%(count)s of %(rows)s texts are the same or nearly the same as others",
    "found in %(count)s of %(rows)s rows",
    "found in %(count)s of %(rows)s rows: %(list_sentence)s",
    "%(kind_sentence)s (%(count)s)",
    "%(kind_sentence)s (%(count)s), %(list_sentence)s",
    "%(count)s with %(words)s words, %(mean)s on average",
    "%(count)s different words; the 100 commonest make up %(share)s of all",
    "about %(count)s different words; the 100 commonest make up %(share)s of all",
    "%(languages)s (of %(count)s texts looked at)",
    "%(oldest)s to %(newest)s, half of them up to %(middle)s; %(count)s rows without a date (%(column)s)",
    "%(count)s hosts; %(rows)s rows without an address (%(column)s)",
    "%(days)s days; the first rows expire on %(day)s",
    "%(days)s days; the first rows expired on %(day)s, and at least %(count)s have today",
    "Languages of %(count)s texts, by %(method)s. Lines show intervals of 95 percent.",
    "How many of %(count)s texts have how many words.",
    "%(count)s dates of %(column)s by %(unit_sentence)s; %(without)s %(units_sentence)s without any.",
    "%(count)s addresses of %(column)s by the last two parts of their hosts' names.",
    "Values of %(column)s in %(count)s rows. Lines show intervals of 95 percent.",
    "%(count)s bars; the largest is %(label)s, %(value)s (%(share)s).",
    "%(share_figure)s (%(low_figure)s to %(high_figure)s)",
    "row %(row_figure)s: %(sample)s",
    "%(middle)s characters; longest %(longest)s",
    "%(middle)s items; longest %(longest)s",
    "%(least_figure)s to %(greatest_figure)s; mean %(mean_figure)s",
    "about %(count_figure)s",
    # the hub
    "There is no page at this address.",
    "there is no page at this address",
    # hallmarked.hub.review.judgement
    "it does not pass in the context %(name)s: %(sentence)s; %(second_sentence)s",
    "it does not pass in the context %(name)s: %(sentence)s and %(count)s more; %(second_sentence)s",
    "a revision that does better, or newer evidence, would change that",
    "whoever disputes it, an auditor or this hub can settle it",
    "signed evidence of it would change that",
    "evidence by somebody whose word counts there would change that",
    "newer evidence about these very files would renew it",
    "evidence from looking at more would change that",
    "nothing is asked for in the context %(name)s, so that it cannot pass",
    "it was not judged in the context %(name)s, since many revisions came after it",
    "what it was let pass by ran out, and it has to be decided again",
    "it passes in every context that is asked for",
    "This request could not be understood.",
    "This address does not take that kind of request.",
    "Something went wrong on our side; what went wrong is in the log of this hub.",
    "the name or the password is wrong",
    "the old password is wrong",
    "the two passwords are not the same",
    "this hub makes accounts for people it knows; ask whoever runs it",
    "this form is not from a page of this hub, or is too old: open the page again",
    "there is no repository of that name, or you may not see it",
    "there is no %(kind)s %(name)s",
    "this revision of %(name)s is being checked; try again in a while",
    "this revision of %(name)s is held back: %(sentence)s",
    "this revision of %(name)s could not be checked completely; its owner or a reviewer can say more",
    "Access to %(kind)s %(name)s is restricted: sign in, then ask for it on its page",
    "Access to %(kind)s %(name)s is restricted and you are not in the authorized list: ask for it on its page",
    "You were given access to %(name)s.",
    "entry %(number)s is about something that is not public",
)
"""Sentences as they are written where they are made.

What is in the place of a ``…sentence`` has to be known too, and a ``…figure`` has no letters; a ``reason`` is
translated when it is known.
"""
_PLACE = re.compile(r"%\((\w+)\)s")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+")
_LINE = 1


def extract(
    fileobj: IO[bytes],  # noqa: ARG001 - Babel gives it
    keywords: Collection[str],  # noqa: ARG001
    comment_tags: Collection[str],  # noqa: ARG001
    options: Mapping[str, Any],  # noqa: ARG001
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Give Babel what has to be translated; the extraction method of this very file."""
    for text in dict.fromkeys((*PATTERNS, *_fixed())):
        yield _LINE, None, text, []


def translator(language: Language) -> Callable[[str], str | None]:
    """Make what translates sentences of the evidence; it returns None for those that it does not know."""

    def translate(text: str, depth: int = 0) -> str | None:
        if not text or len(text) > LONGEST or depth > DEEPEST:
            return None
        found = look(text, depth) or look(text[0].lower() + text[1:], depth)
        # A sentence that begins with a number in one language may begin with a word in another.
        return found[0].upper() + found[1:] if found and not text[0].islower() else found

    def look(text: str, depth: int) -> str | None:
        if text in _known():
            return language.gettext(text)
        for pattern in _patterns():
            values = pattern.take_apart(text)
            filled = {name: fill(name, value, depth) for name, value in (values or {}).items()}
            if filled and None not in filled.values():
                return language.gettext(pattern.text) % filled
        return None

    def fill(name: str, value: str, depth: int) -> str | None:
        if name.endswith("sentence"):
            return translate(value, depth + 1)
        if name.endswith("figure") and value.lower() != value.upper():
            return None
        said = translate(value, depth + 1) if name == "reason" else None
        return said or figure(language, value)

    return translate


def figure(language: Language, text: str) -> str:
    """Write a number of the evidence as the language does; what is no number with thousands set apart stays."""
    return language.number(int(text.replace(",", ""))) if _NUMBER.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A sentence with places for names and numbers."""

    text: str
    fixed: tuple[str, ...]
    """What stands before, between and behind the places."""
    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> _Pattern:
        parts = _PLACE.split(text)
        return cls(text, tuple(parts[::2]), tuple(parts[1::2]))

    def take_apart(self, text: str) -> dict[str, str] | None:
        """Return what stands in the places, each as short as it can be; None when the sentence is another one.

        NOTE: no regular expression, since texts come from strangers: this looks at each character a few times only.
        """
        first, *middle, last = self.fixed
        if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
            return None
        rest, values = text[len(first) : len(text) - len(last)], []
        for fixed in middle:
            value, found, rest = rest.partition(fixed)
            if not found:
                return None
            values.append(value)
        values.append(rest)
        return dict(zip(self.names, values, strict=True)) if all(values) else None


@cache
def _patterns() -> tuple[_Pattern, ...]:
    """Return the patterns that have places, the most telling first."""
    made = (_Pattern.of(text) for text in PATTERNS if _PLACE.search(text))
    return tuple(sorted(made, key=lambda pattern: -sum(map(len, pattern.fixed))))


@cache
def _known() -> frozenset[str]:
    return frozenset((*_fixed(), *(text for text in PATTERNS if not _PLACE.search(text))))


@cache
def _fixed() -> tuple[str, ...]:
    """Return the words of checks and rules, and what cards are asked for, which never have other words in them."""
    checks = [registry.load(name)[0] for name in registry.available()]
    words = [text for check in checks for rule in check.rules for text in (rule.title, rule.help)]
    asked = [entry.ask for kind in declared.KINDS for entry in sections.template(kind).entries]
    return tuple(sorted({*(check.title for check in checks), *words, *asked} - {""}))
