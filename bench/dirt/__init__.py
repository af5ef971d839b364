"""What nobody writes but who means harm: texts, messages and rules of any size, and who has to read them."""
