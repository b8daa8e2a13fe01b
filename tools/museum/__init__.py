"""The data of docs/tutorial-own-kb.md: objects of an invented museum, and sentences that mention them."""
