"""What the stages of a data set will take, before they run: counted, computed, or measured in this call."""
