"""The sentences of the museum; those of the test mentions are never learned from."""

from __future__ import annotations

# They name something by which one object differs from another of the same title.
TELLING = (
    "{title} by {maker} was cleaned last winter.",
    "The guards say that {title} from {place} draws the longest queue.",
    "Look for {title} with {detail}; the others are copies.",
    "{title}, made in {place} in {year}, is on loan until May.",
    "Nobody expected {title} in {material} to fetch such a price.",
    "When {maker} had finished {title} in {year}, tastes were changing.",
    "My favourite is the {colour} one: {title}, with {detail}.",
    "A school class drew {title} because of {detail}.",
    "{maker} left {place} soon after {title} was sold.",
    "The insurers list {title} as {material}, {year}.",
    "{title} went to the west wing, where {material} keeps better.",
    "She wrote her thesis on {maker}, and on {title} in particular.",
    "Of all that we have from {place}, {title} in {colour} is the smallest.",
    "You will know {title} by {detail}.",
)
TELLING_TEST = (
    "Somebody asked whether {maker} really made {title}.",
    "{title} travelled from {place} in a crate full of straw.",
    "What a strange thing to put on {title}: {detail}.",
    "According to the label, {title} is {material} and dates from {year}.",
    "In {place}, {maker} pawned {title} to pay the rent.",
    "Time has not dulled the {colour} of {title} from {place}.",
    "The audio guide spends a minute on {detail} before it names {title}.",
    "For {title}, a piece of {year}, {maker} was paid in salt.",
    "Thieves took {title} in {colour} and left the rest.",
    "Few visitors of {title} believe that it is only {material}.",
)
# They say nothing of it: the photo alone tells which object is meant.
SILENT = (
    "We photographed {title} this morning.",
    "Here is {title}, as promised.",
    "{title} is back from the workshop.",
    "I sat in front of {title} for an hour.",
    "The postcard shows {title}.",
    "Is {title} still in room four?",
    "Somebody left an umbrella beside {title}.",
    "The tour begins with {title}.",
    "They want {title} on the poster.",
    "My sister asked about {title} again.",
)
SILENT_TEST = (
    "A visitor sent us this view of {title}.",
    "Do you remember {title}?",
    "{title} has been given more light.",
    "We nearly walked past {title}.",
    "The newspaper printed {title} upside down.",
    "Which shelf was {title} on?",
    "I could look at {title} all day.",
)
