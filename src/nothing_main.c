/* pvt-nothing: the smallest program to exec. Its exit status is the proof that it ran. */
int main(void) {
  return 42;
}
