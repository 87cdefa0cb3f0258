# The formula for a Homebrew tap.
class Smpctl < Formula
  desc "Updates microcontrollers that run Zephyr and MCUboot"
  homepage "https://github.com/smpctl/smpctl"
  version "@VERSION@"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "https://github.com/smpctl/smpctl/releases/download/v@VERSION@/smpctl-v@VERSION@-darwin-arm64.tar.gz"
      sha256 "@SHA256 smpctl-v@VERSION@-darwin-arm64.tar.gz@"
    end
    on_intel do
      url "https://github.com/smpctl/smpctl/releases/download/v@VERSION@/smpctl-v@VERSION@-darwin-amd64.tar.gz"
      sha256 "@SHA256 smpctl-v@VERSION@-darwin-amd64.tar.gz@"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/smpctl/smpctl/releases/download/v@VERSION@/smpctl-v@VERSION@-linux-arm64.tar.gz"
      sha256 "@SHA256 smpctl-v@VERSION@-linux-arm64.tar.gz@"
    end
    on_intel do
      url "https://github.com/smpctl/smpctl/releases/download/v@VERSION@/smpctl-v@VERSION@-linux-amd64.tar.gz"
      sha256 "@SHA256 smpctl-v@VERSION@-linux-amd64.tar.gz@"
    end
  end

  def install
    bin.install "smpctl"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/smpctl.bash" => "smpctl"
    zsh_completion.install "completions/_smpctl"
    fish_completion.install "completions/smpctl.fish"
  end

  test do
    assert_match "v@VERSION@", shell_output("#{bin}/smpctl version")
  end
end
