"""Small tools that know no database, no network and no web: clock, money, words for numbers and times, references, refusals."""
