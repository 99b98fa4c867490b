"""What recipes for language models share: dialogues as tokens, answers, their evaluation."""
